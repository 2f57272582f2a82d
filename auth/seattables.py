"""Tables of persons at browsers: clerks of offices, and who sits at a console or at the office's desk.

All of them belong to the auth door and hold nothing of a citizen: a clerk is a staff number, never a name.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from core.tables import INSTANT, metadata

# `account` is a keyed digest of the identity provider's account by which the clerk logs in; one account is one clerk,
# so that two clerks are two proved persons. An ended clerk keeps no digest.
clerk = sa.Table(
    "clerk",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("client_id", sa.Text, sa.ForeignKey("auth.client.client_id"), nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("link", sa.LargeBinary, unique=True),
    sa.Column("link_until", INSTANT),
    sa.Column("account", sa.LargeBinary, unique=True),
    sa.Column("made_at", INSTANT, nullable=False),
    sa.Column("joined_at", INSTANT),
    sa.Column("ended_at", INSTANT),
    sa.Index(
        "ix_clerk_client_id_number", "client_id", "number", unique=True, postgresql_where=sa.text("ended_at is null")
    ),
    schema="auth",
)

# `token` is the hash of a token's id that nobody was told: behind a seat stands an ordinary live token of the client,
# so that every gate function proves a person at a browser as it proves the client's own system.
seat = sa.Table(
    "seat",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("client_id", sa.Text, sa.ForeignKey("auth.client.client_id"), nullable=False),
    sa.Column("clerk_id", sa.Uuid, sa.ForeignKey("auth.clerk.id")),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("link", sa.LargeBinary, unique=True),
    sa.Column("link_until", INSTANT),
    sa.Column("session", sa.LargeBinary, unique=True),
    sa.Column("token", sa.LargeBinary),
    sa.Column("proved_at", INSTANT),
    sa.Column("made_at", INSTANT, nullable=False),
    sa.Column("used_at", INSTANT),
    sa.Column("ends_at", INSTANT, nullable=False),
    sa.Column("ended_at", INSTANT),
    sa.Index(None, "client_id"),
    sa.Index(None, "clerk_id"),
    schema="auth",
)

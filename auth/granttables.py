"""Tables of what a citizen's decision gives: codes, their use, and families of refresh tokens."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from auth.tables import client
from core.tables import INSTANT, metadata

code = sa.Table(
    "code",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("client_id", sa.Text, sa.ForeignKey(client.c.client_id), nullable=False),
    sa.Column("citizen_id", sa.Uuid, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("challenge", sa.Text, nullable=False),
    sa.Column("jkt", sa.Text),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("acr", sa.SmallInteger, nullable=False),
    sa.Column("auth_time", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("grant_id", sa.Uuid),
    sa.Column("details", JSONB(none_as_null=True)),
    schema="auth",
)

code_use = sa.Table(
    "code_use",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("at", INSTANT, nullable=False),
    schema="auth",
)

# A row per family of refresh tokens: a code gives one family, and no two tokens of it are good at once. `grant_id` is
# the consent that a partner's tokens stand for; such a row names no citizen.
refresh = sa.Table(
    "refresh",
    metadata,
    sa.Column("family", sa.Uuid, primary_key=True),
    sa.Column("handle", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("current", sa.LargeBinary, nullable=False),
    sa.Column("previous", sa.LargeBinary),
    sa.Column("turned_at", INSTANT, nullable=False),
    sa.Column("client_id", sa.Text, sa.ForeignKey(client.c.client_id), nullable=False),
    sa.Column("citizen_id", sa.Uuid),
    sa.Column("grant_id", sa.Uuid),
    sa.Column("jkt", sa.Text),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("details", JSONB(none_as_null=True)),
    sa.Column("acr", sa.SmallInteger, nullable=False),
    sa.Column("auth_time", INSTANT, nullable=False),
    sa.Column("code_hash", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("began_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("ended_at", INSTANT),
    sa.CheckConstraint("(citizen_id is null) <> (grant_id is null)", name="citizen_or_grant"),
    sa.Index(None, "citizen_id", postgresql_where=sa.text("citizen_id is not null")),
    sa.Index(None, "expires_at"),
    schema="auth",
)

"""Tables of visitors: lists of trust, questions to wallets, copies that were shown."""

import sqlalchemy as sa

from core.tables import INSTANT, metadata

trust_list = sa.Table(
    "trust_list",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("taken_at", INSTANT, nullable=False, server_default=sa.func.now()),
    schema="incentives",
)

# `id` is random, and all that a wallet proves itself by; `troubled_at`: when no status was to be had.
presentation = sa.Table(
    "presentation",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("partner_id", sa.Text, nullable=False),
    sa.Column("perk_id", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger),
    sa.Column("terminal", sa.Text),
    sa.Column("nonce", sa.Text, nullable=False, unique=True),
    sa.Column("made_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("troubled_at", INSTANT),
    sa.Column("decision_id", sa.Uuid),
    sa.Index(None, "expires_at"),
    schema="incentives",
)

# HMAC of the place of a copy in its issuer's status list, so that a copy is shown once; until the copy is over.
shown_copy = sa.Table(
    "shown_copy",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("until", INSTANT, nullable=False),
    sa.Index(None, "until"),
    schema="incentives",
)

"""Tables of floor 4: perks in force with their budgets and places, credit codes, decisions."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.tables import INSTANT, metadata

# One dated line a perk and release, written when the release is approved: one threshold (tenths) and one cap (fen).
# A line without a threshold says that the release took the perk out of force.
perk = sa.Table(
    "perk",
    metadata,
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("release_id", sa.Uuid, primary_key=True),
    sa.Column("effective_on", sa.Date, nullable=False),
    sa.Column("approved_at", INSTANT, nullable=False),
    sa.Column("threshold", sa.Integer),
    sa.Column("cap", sa.BigInteger),
    sa.Column("over_cap", sa.Text, nullable=False),
    sa.Column("closed", sa.Boolean, nullable=False),
    sa.Column("terminals", ARRAY(sa.Text)),
    sa.Column("kind", sa.Text, nullable=False, server_default="deposit_waiver"),
    sa.Column("percent", sa.Integer, nullable=False, server_default=sa.text("100")),
    sa.Column("minus", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("from_amount", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("starts_on", sa.Date),
    sa.Column("ends_on", sa.Date),
    sa.Column("hold_minutes", sa.Integer, nullable=False, server_default=sa.text("15")),
    sa.Column("start_hours", sa.Integer, nullable=False, server_default=sa.text("24")),
    sa.Column("longest_days", sa.Integer, nullable=False, server_default=sa.text("30")),
    sa.Column("lines", ARRAY(sa.Text)),
    sa.Column("admission", JSONB(none_as_null=True)),
    schema="incentives",
)

# How much of it there is: `count` orders, `amount` fen waived, per perk, partner, district (zone) or citizen.
perk_budget = sa.Table(
    "perk_budget",
    metadata,
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("release_id", sa.Uuid, primary_key=True),
    sa.Column("per", sa.Text, primary_key=True),
    sa.Column("every", sa.Text, primary_key=True),
    sa.Column("count", sa.Integer),
    sa.Column("amount", sa.BigInteger),
    sa.ForeignKeyConstraint(
        ["perk_id", "release_id"], ["incentives.perk.perk_id", "incentives.perk.release_id"], ondelete="CASCADE"
    ),
    schema="incentives",
)

# Zones and programmes: where and when the formula has other numbers; null is all of them, or as the perk says.
perk_place = sa.Table(
    "perk_place",
    metadata,
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("release_id", sa.Uuid, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("zone", sa.Boolean, nullable=False),
    sa.Column("partners", ARRAY(sa.Text)),
    sa.Column("terminals", ARRAY(sa.Text)),
    sa.Column("from_on", sa.Date),
    sa.Column("until_on", sa.Date),
    sa.Column("cap", sa.BigInteger),
    sa.Column("percent", sa.Integer),
    sa.Column("minus", sa.BigInteger),
    sa.Column("from_amount", sa.BigInteger),
    sa.ForeignKeyConstraint(
        ["perk_id", "release_id"], ["incentives.perk.perk_id", "incentives.perk.release_id"], ondelete="CASCADE"
    ),
    schema="incentives",
)

credit_code = sa.Table(
    "credit_code",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("citizen_id", sa.Uuid, nullable=False),
    sa.Column("consent_id", sa.Uuid, nullable=False),
    sa.Column("perk_id", sa.Text, nullable=False),
    sa.Column("partner_id", sa.Text),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Index(None, "citizen_id"),
    sa.Index(None, "expires_at"),
    schema="incentives",
)

credit_code_use = sa.Table(
    "credit_code_use",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("decision_id", sa.Uuid, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Index(None, "decision_id"),
    schema="incentives",
)

# The numbers that a credit code carries; allotted by the database with the first row of a perk or partner (migration
# 0028), never given twice.
perk_number = sa.Table(
    "perk_number",
    metadata,
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("since", INSTANT, nullable=False, server_default=sa.func.now()),
    schema="incentives",
)

# kind `partner`: one partner; `programme`: whoever offers the perk of that name.
audience_number = sa.Table(
    "audience_number",
    metadata,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("since", INSTANT, nullable=False, server_default=sa.func.now()),
    schema="incentives",
)

# What a partner was told. `key`, `round` and `input` let an Idempotency-Key repeat it; codes in `input` are digests.
decision = sa.Table(
    "decision",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("partner_id", sa.Text, nullable=False),
    sa.Column("perk_id", sa.Text, nullable=False),
    sa.Column("citizen_id", sa.Uuid),
    sa.Column("granted", sa.Boolean, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("valid_until", INSTANT, nullable=False),
    sa.Column("consent_id", sa.Uuid),
    sa.Column("release_id", sa.Uuid),
    sa.Column("reason", sa.Text),
    sa.Column("key", sa.Text),
    sa.Column("round", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("input", JSONB),
    sa.UniqueConstraint("partner_id", "key", "round"),
    sa.Index(None, "citizen_id"),
    sa.Index(None, "at", postgresql_using="brin", postgresql_with={"autosummarize": "on"}),
    schema="incentives",
)

# A telephone at a shop without a system: bound to a perk and a terminal, opened once by a link. `link`, `session` and
# `token` are SHA-256 of secrets; the token's own was never told to anybody.
counter = sa.Table(
    "counter",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("partner_id", sa.Text, sa.ForeignKey("auth.client.client_id"), nullable=False),
    sa.Column("perk_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("terminal", sa.Text),
    sa.Column("deposit", sa.BigInteger),
    sa.Column("made_at", INSTANT, nullable=False),
    sa.Column("link", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("link_until", INSTANT, nullable=False),
    sa.Column("session", sa.LargeBinary, unique=True),
    sa.Column("token", sa.LargeBinary),
    sa.Column("opened_at", INSTANT),
    sa.Column("ends_at", INSTANT, nullable=False),
    sa.Column("ended_at", INSTANT),
    sa.Index(None, "partner_id"),
    schema="incentives",
)

"""Tables of floor 4: perks in force, credit codes, decisions."""

import sqlalchemy as sa

from core.tables import INSTANT, metadata

# One threshold and one cap a perk, in force; written when a release is approved.
perk = sa.Table(
    "perk",
    metadata,
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("release_id", sa.Uuid, nullable=False),
    sa.Column("threshold", sa.Integer, nullable=False),
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
    schema="incentives",
)

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
    sa.Index(None, "citizen_id"),
    schema="incentives",
)

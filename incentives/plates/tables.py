"""Tables of plates: what a citizen typed, and what a car park was told of it.

No plate is here in words but the one that is sealed for its owner. Only gate functions confirm and tell (migration
0040); a pair outlives its plate for 45 days, so that the car park learns that it is over.
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata


def _partner(*, key: bool = False) -> sa.Column[str]:
    return sa.Column("partner_id", sa.Text, sa.ForeignKey("auth.client.client_id"), nullable=False, primary_key=key)


# `digest`: HMAC-SHA-256 under the partner's own key; `sealed`: under the citizen's identity key.
plate = sa.Table(
    "plate",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("citizen_id", sa.Uuid, nullable=False),
    _partner(),
    sa.Column("perk_id", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("typed_at", INSTANT, nullable=False),
    sa.Column("confirmed_at", INSTANT),
    sa.UniqueConstraint("citizen_id", "partner_id", "perk_id", "digest"),
    sa.Index(
        "uq_plate_confirmed",
        "partner_id",
        "perk_id",
        "digest",
        unique=True,
        postgresql_where=sa.text("confirmed_at is not null"),
    ),
    schema="incentives",
)

# By the numbers of the partner's own list: a pair begins at `told` and is over from `ended` on.
plate_pair = sa.Table(
    "plate_pair",
    metadata,
    _partner(key=True),
    sa.Column("told", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("ended", sa.BigInteger),
    sa.Column("ended_at", INSTANT),
    sa.Column("plate_id", sa.Uuid, nullable=False),
    sa.Column("consent_id", sa.Uuid, sa.ForeignKey("auth.consent.id"), nullable=False),
    sa.Column("perk_id", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("subject", sa.Uuid, nullable=False),
    sa.Index("uq_plate_pair_open", "plate_id", "consent_id", unique=True, postgresql_where=sa.text("ended is null")),
    sa.Index("uq_plate_pair_ended", "partner_id", "ended", unique=True, postgresql_where=sa.text("ended is not null")),
    schema="incentives",
)

# `newest`: the last number of a partner's list; `forgotten`: the last of those that are gone.
plate_list = sa.Table(
    "plate_list",
    metadata,
    _partner(key=True),
    sa.Column("newest", sa.BigInteger, nullable=False),
    sa.Column("forgotten", sa.BigInteger, nullable=False),
    schema="incentives",
)

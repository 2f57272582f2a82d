"""Tables of rides: which were counted, what they came to, and what a citizen sees of them.

Only gate functions write here (migration 0036). Where and when somebody travelled is not kept: of a ride its key stays
for 40 days, without a card, a gate or an hour, so that it is counted once; of a citizen the sums of a day.
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata

# `key`: of operator and ride; `print`: of everything that the ride said; `day`: on which it was settled.
ride = sa.Table(
    "ride",
    metadata,
    sa.Column("key", sa.Uuid, primary_key=True),
    sa.Column("print", sa.BigInteger, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Index(None, "day", postgresql_using="brin"),
    schema="incentives",
)

# The first ride of a credit code; whose code it was stands nowhere here.
ride_code = sa.Table(
    "ride_code",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("partner_id", sa.Text, nullable=False),
    sa.Column("ride", sa.Text, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Index(None, "at"),
    schema="incentives",
)

# An operator's accounts: by the day of settlement, and of the rides; `outcome` of `statements.OUTCOMES`; fen.
ride_total = sa.Table(
    "ride_total",
    metadata,
    sa.Column("partner_id", sa.Text, primary_key=True),
    sa.Column("settled_on", sa.Date, primary_key=True),
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("outcome", sa.Text, primary_key=True),
    sa.Column("rides", sa.BigInteger, nullable=False),
    sa.Column("fare", sa.BigInteger, nullable=False),
    sa.Column("discount", sa.BigInteger, nullable=False),
    schema="incentives",
)

# A ride by a code that was used before; `other`: the operator's own ride that had it first.
ride_double = sa.Table(
    "ride_double",
    metadata,
    sa.Column("partner_id", sa.Text, primary_key=True),
    sa.Column("ride", sa.Text, primary_key=True),
    sa.Column("settled_on", sa.Date, nullable=False),
    sa.Column("perk_id", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("other", sa.Text),
    sa.Index(None, "partner_id", "settled_on"),
    schema="incentives",
)

# What a citizen had of a perk on a day: rides, fen taken off, and how many were by a code that was used before.
ride_day = sa.Table(
    "ride_day",
    metadata,
    sa.Column("citizen_id", sa.Uuid, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("partner_id", sa.Text, primary_key=True),
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("rides", sa.Integer, nullable=False),
    sa.Column("discount", sa.BigInteger, nullable=False),
    sa.Column("doubled", sa.Integer, nullable=False),
    sa.Index(None, "day", postgresql_using="brin"),
    schema="incentives",
)

"""Tables of the short-lived store: UNLOGGED, so that they cost no WAL and are empty after a crash.

Emptied tables are told by `short_epoch`, which lies with them and is lost with them.
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata

# A key that somebody took; the first insert wins.
short_claim = sa.Table(
    "short_claim",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("until", INSTANT, nullable=False, index=True),
    schema="core",
    prefixes=["UNLOGGED"],
)

# How often something happened since its window opened.
short_count = sa.Table(
    "short_count",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("until", INSTANT, nullable=False, index=True),
    schema="core",
    prefixes=["UNLOGGED"],
)

# Bytes that wait to be taken once.
short_value = sa.Table(
    "short_value",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.LargeBinary, nullable=False),
    sa.Column("until", INSTANT, nullable=False, index=True),
    schema="core",
    prefixes=["UNLOGGED"],
)

# One random word, made when the store is empty: whoever remembers another one knows that the store forgot.
short_epoch = sa.Table(
    "short_epoch",
    metadata,
    sa.Column("one", sa.Boolean, sa.CheckConstraint("one", name="one_row"), primary_key=True),
    sa.Column("epoch", sa.Text, nullable=False),
    schema="core",
    prefixes=["UNLOGGED"],
)

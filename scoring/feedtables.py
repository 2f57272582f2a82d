"""Tables about what sources send: numbers that lead to nobody, and whom a source was asked about.

Records and batches themselves are in `scoring.tables`.
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata

# Why lines of a batch were refused: how many, and which was the first. `kind` is empty when the line named none.
batch_rejection = sa.Table(
    "batch_rejection",
    metadata,
    sa.Column("batch_id", sa.Uuid, sa.ForeignKey("scoring.batch.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("lines", sa.Integer, nullable=False),
    sa.Column("first_line", sa.Integer, nullable=False),
    schema="scoring",
)

# The numbers of `scoring.tally`.
feed_count = sa.Table(
    "feed_count",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("measure", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("lines", sa.BigInteger, nullable=False),
    schema="scoring",
)

# A source that is asked for what it holds about somebody who has just joined: once a consent and source.
history_pull = sa.Table(
    "history_pull",
    metadata,
    sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("scoring.link.citizen_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("attempts", sa.SmallInteger, nullable=False),
    sa.Column("next_at", INSTANT, nullable=False),
    sa.Column("changed_at", INSTANT, nullable=False),
    sa.Column("batch_id", sa.Uuid),
    sa.CheckConstraint("state in ('waiting', 'received', 'nothing', 'failed')", name="state"),
    schema="scoring",
)

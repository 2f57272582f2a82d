"""Tables of floor 3: records under a random subject, standings under the citizen.

The only thread between the two is `link.sealed` (opens with the citizen's records key) and its way back,
`live.sealed_owner` (opens with an epoch key). Destroying the records key and the `live` row cuts both; the epoch
rotation cuts the second in backups too.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from core.tables import INSTANT, metadata

link = sa.Table(
    "link",
    metadata,
    sa.Column("citizen_id", sa.Uuid, primary_key=True),
    sa.Column("consent_id", sa.Uuid, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    schema="scoring",
)

live = sa.Table(
    "live",
    metadata,
    sa.Column("record_subject", sa.Uuid, primary_key=True),
    sa.Column("until", INSTANT, nullable=False, index=True),
    sa.Column("epoch", sa.Integer, sa.ForeignKey("keys.epoch.number"), nullable=False, index=True),
    sa.Column("sealed_owner", sa.LargeBinary, nullable=False),
    schema="scoring",
)


def _scoring_columns() -> list[sa.Column[object]]:
    """The plain columns that the scorecard reads, the same in staging and in store."""
    return [
        sa.Column("record_subject", sa.Uuid, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("occurred_on", sa.Date, nullable=False),
        sa.Column("quantity", sa.BigInteger, nullable=False),
        sa.Column("level", sa.SmallInteger),
        sa.Column("severity", sa.Text),
        sa.Column("from_on", sa.Date),
        sa.Column("until_on", sa.Date),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    ]


# `line`: its place in its source's file; `dated_on`: from when a feed's clock runs; `earlier`: what it said before.
record = sa.Table(
    "record",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    *_scoring_columns(),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("status_at", INSTANT, nullable=False),
    sa.Column("batch_id", sa.Uuid, nullable=False),
    sa.Column("received_at", INSTANT, nullable=False),
    sa.Column("line", sa.Integer),
    sa.Column("dated_on", sa.Date),
    sa.Column("earlier", JSONB),
    sa.CheckConstraint("status in ('active', 'disputed', 'hidden', 'repaired', 'revoked')", name="status"),
    sa.UniqueConstraint("record_subject", "source", "ref"),
    sa.Index(None, "source", "ref"),
    sa.Index("ix_record_earlier", "received_at", postgresql_where=sa.text("earlier is not null")),
    sa.Index("ix_record_revoked", "status_at", postgresql_where=sa.text("status = 'revoked'")),
    schema="scoring",
)

# Checked, consented, sealed lines of batches under way; unlogged, swept after the merge or when a push is cut off.
staging = sa.Table(
    "staging",
    metadata,
    sa.Column("batch_id", sa.Uuid, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("id", sa.Uuid, nullable=False),
    sa.Column("citizen_id", sa.Uuid, nullable=False),
    *_scoring_columns(),
    sa.Column("staged_at", INSTANT, nullable=False),
    sa.Column("dated_on", sa.Date),
    sa.PrimaryKeyConstraint("batch_id", "citizen_id", "line"),
    schema="scoring",
    prefixes=["UNLOGGED"],
)

batch = sa.Table(
    "batch",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("received", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Integer, nullable=False),
    sa.Column("received_at", INSTANT, nullable=False),
    sa.Column("via", sa.Text, nullable=False, server_default="push"),
    sa.Column("form", sa.Text, nullable=False, server_default="ndjson"),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("withdrawn_at", INSTANT),
    schema="scoring",
)

standing = sa.Table(
    "standing",
    metadata,
    sa.Column("citizen_id", sa.Uuid, primary_key=True),
    sa.Column("consent_id", sa.Uuid, nullable=False),
    sa.Column("scorecard", sa.Text, nullable=False),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("tier", sa.Text, nullable=False),
    sa.Column("held", sa.Boolean, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("computed_at", INSTANT, nullable=False),
    schema="scoring",
)

# The trace of each change, sealed under the records key, kept 24 months.
standing_change = sa.Table(
    "standing_change",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("citizen_id", sa.Uuid, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index(None, "citizen_id", "id"),
    schema="scoring",
)

# What the traces of one scorecard have in common, by the beginning of its hash; no personal data.
trace_words = sa.Table(
    "trace_words",
    metadata,
    sa.Column("name", sa.LargeBinary, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
    schema="scoring",
)

# Kinds of positives that a citizen does not want taken.
refusal = sa.Table(
    "refusal",
    metadata,
    sa.Column("citizen_id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("at", INSTANT, nullable=False),
    schema="scoring",
)

# The citizen's own words beside a record, sealed under the records key; gone with the record.
statement = sa.Table(
    "statement",
    metadata,
    sa.Column("record_id", sa.Uuid, sa.ForeignKey("scoring.record.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("citizen_id", sa.Uuid, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Index(None, "citizen_id"),
    schema="scoring",
)

# When a deduction does not count because it is disputed or a court looks at it; open while `until_on` is null.
suspension = sa.Table(
    "suspension",
    metadata,
    sa.Column("record_id", sa.Uuid, sa.ForeignKey("scoring.record.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("from_on", sa.Date, primary_key=True),
    sa.Column("until_on", sa.Date),
    sa.Column("version", sa.Integer, nullable=False),
    sa.CheckConstraint("until_on >= from_on", name="forwards"),
    sa.Index("ix_suspension_open", "record_id", unique=True, postgresql_where=sa.text("until_on is null")),
    schema="scoring",
)

# A citizen's objection to a record; words and answer are sealed under the *cases* key. `rules` is the digest of the
# clocks under which it began, "" for those of before any were published; `clock_from` and `clock_days` made `due_on`;
# `suspends` says that the record does not count while this is open.
dispute = sa.Table(
    "dispute",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("scoring.link.citizen_id", ondelete="CASCADE"), nullable=False),
    sa.Column("record_id", sa.Uuid, sa.ForeignKey("scoring.record.id", ondelete="SET NULL")),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("suspends", sa.Boolean, nullable=False),
    sa.Column("opened_at", INSTANT, nullable=False),
    sa.Column("rules", sa.Text, nullable=False, server_default=""),
    sa.Column("clock_from", sa.Date, nullable=False),
    sa.Column("clock_days", sa.SmallInteger, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("seen_at", INSTANT),
    sa.Column("closed_at", INSTANT),
    sa.Column("sealed_words", sa.LargeBinary, nullable=False),
    sa.Column("sealed_answer", sa.LargeBinary),
    sa.Index(None, "citizen_id"),
    sa.Index("ix_dispute_record_id", "record_id"),
    sa.Index("ix_dispute_open", "record_id", unique=True, postgresql_where=sa.text("closed_at is null")),
    sa.Index("ix_dispute_due", "due_on", "id", postgresql_where=sa.text("closed_at is null")),
    schema="scoring",
)

# The course of a dispute as its citizen reads it; no words.
dispute_event = sa.Table(
    "dispute_event",
    metadata,
    sa.Column("dispute_id", sa.Uuid, sa.ForeignKey("scoring.dispute.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("due_on", sa.Date),
    schema="scoring",
)

# A lawsuit or reconsideration about a deduction's basis that is pending; the evidence is sealed under the records key.
pending = sa.Table(
    "pending",
    metadata,
    sa.Column("record_id", sa.Uuid, sa.ForeignKey("scoring.record.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("matter", sa.Text, nullable=False),
    sa.Column("since", sa.Date, nullable=False),
    sa.Column("told_by", sa.Text, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("matter in ('lawsuit', 'reconsideration')", name="matter"),
    schema="scoring",
)

# How far the daily pass over everyone has come: one row a day, under one scorecard and catalogue. No list of people.
nightly = sa.Table(
    "nightly",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("scorecard", sa.Text, nullable=False),
    sa.Column("catalogue", sa.Text, nullable=False),
    sa.Column("after", sa.Uuid, nullable=False),
    sa.Column("people", sa.BigInteger, nullable=False),
    sa.Column("changed", sa.BigInteger, nullable=False),
    sa.Column("began_at", INSTANT, nullable=False),
    sa.Column("ended_at", INSTANT),
    schema="scoring",
)

"""Tables of repairs, self-declarations and commitments, and what happened to each.

All of it stands on the `score` consent: `scoring.link` takes it along when that ends. What a person says lies sealed:
of a repair under the *cases* key, so that a clerk opens that alone; of the others under the *records* key, since a
bureau reads them. What is due is a day; whether it has passed is asked on that day, and no row waits for a job.
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata


def _whose() -> sa.Column[object]:
    link = sa.ForeignKey("scoring.link.citizen_id", ondelete="CASCADE")
    return sa.Column("citizen_id", sa.Uuid, link, nullable=False, index=True)


repair = sa.Table(
    "repair",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _whose(),
    sa.Column("record_id", sa.Uuid, sa.ForeignKey("scoring.record.id", ondelete="CASCADE"), nullable=False),
    sa.Column("record_version", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("route", sa.Text),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("needed", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("met", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("missing", sa.ARRAY(sa.Text), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("opened_at", INSTANT, nullable=False),
    sa.Column("changed_at", INSTANT, nullable=False),
    sa.Column("decide_by", sa.Date, nullable=False),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("sealed_words", sa.LargeBinary, nullable=False),
    sa.Column("sealed_reasons", sa.LargeBinary),
    sa.CheckConstraint("state in ('applied', 'checked', 'extended', 'approved', 'refused', 'withdrawn')", name="state"),
    sa.Index(
        "uq_repair_open",
        "record_id",
        unique=True,
        postgresql_where=sa.text("state in ('applied', 'checked', 'extended')"),
    ),
    schema="scoring",
)

# What happened to a repair or declaration: the event, the state after it, by whose act; nothing that anybody said.
right_event = sa.Table(
    "right_event",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _whose(),
    sa.Column("matter_id", sa.Uuid, nullable=False, index=True),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    schema="scoring",
)

# Its id is random: a bureau sees it.
declaration = sa.Table(
    "declaration",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _whose(),
    sa.Column("source", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("opened_at", INSTANT, nullable=False),
    sa.Column("changed_at", INSTANT, nullable=False),
    sa.Column("seen_at", INSTANT),
    sa.Column("answer_by", sa.Date, nullable=False),
    sa.Column("lapse_on", sa.Date, nullable=False),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("again_of", sa.Uuid),
    sa.Column("ref", sa.Text),
    sa.Column("sealed_words", sa.LargeBinary, nullable=False),
    sa.Column("sealed_reasons", sa.LargeBinary),
    sa.CheckConstraint("state in ('declared', 'verified', 'refused', 'withdrawn')", name="state"),
    schema="scoring",
)

# The rest of its course is what the bureau's records say.
commitment = sa.Table(
    "commitment",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _whose(),
    sa.Column("source", sa.Text, nullable=False, index=True),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("item_version", sa.Integer, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),
    sa.Column("made_at", INSTANT, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("withdrawn_at", INSTANT),
    sa.Column("seen_at", INSTANT),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    schema="scoring",
)

"""Tables of the reports: what was issued, and the occupational records.

A report hangs on what its consent allows: on the citizen's thread (`scoring.link`) when it is about points, on
`scoring.career` when it is occupational, so that a withdrawal takes it along. Occupational records have tables of their
own, which the scorer's door has no right to.
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata

# Who takes part in the occupational class; everything of it hangs on this row.
career = sa.Table(
    "career",
    metadata,
    sa.Column("citizen_id", sa.Uuid, primary_key=True),
    sa.Column("since", INSTANT, nullable=False),
    schema="scoring",
)

# Which sources may send about them, each under the digest agreed with it.
career_source = sa.Table(
    "career_source",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("scoring.career.citizen_id", ondelete="CASCADE"), nullable=False),
    sa.Index(None, "citizen_id"),
    schema="scoring",
)

# One record: all that it says is sealed under the *occupational* key. An empty `sealed` was revoked.
career_record = sa.Table(
    "career_record",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("scoring.career.citizen_id", ondelete="CASCADE"), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("received_at", INSTANT, nullable=False),
    sa.Column("keep_until", sa.Date),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("source", "ref"),
    sa.Index(None, "citizen_id"),
    schema="scoring",
)

report = sa.Table(
    "report",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("citizen_id", sa.Uuid, nullable=False, index=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column(
        "score_of",
        sa.Uuid,
        sa.Computed("case when purpose = 'score' then citizen_id end", persisted=True),
        sa.ForeignKey("scoring.link.citizen_id", ondelete="CASCADE"),
        index=True,
    ),
    sa.Column(
        "career_of",
        sa.Uuid,
        sa.Computed("case when purpose <> 'score' then citizen_id end", persisted=True),
        sa.ForeignKey("scoring.career.citizen_id", ondelete="CASCADE"),
        index=True,
    ),
    sa.Column("number_digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("issued_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("revoked_at", INSTANT),
    sa.Column("pdf_digest", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("purpose in ('score', 'occupational-report')", name="purpose"),
    schema="scoring",
)

# A quarter in numbers, as it was made; no person.
statistic = sa.Table(
    "statistic",
    metadata,
    sa.Column("quarter", sa.Text, primary_key=True),
    sa.Column("made_at", INSTANT, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    schema="scoring",
)

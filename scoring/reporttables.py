"""Tables of the reports: what was issued.

A report hangs on the consent on which it stands: on the citizen's thread (`scoring.link`) when it is about points, so
that a withdrawal takes it along.
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata

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
    sa.Column("number_digest", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("issued_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("revoked_at", INSTANT),
    sa.Column("pdf_digest", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.CheckConstraint("purpose in ('score', 'occupational-report')", name="purpose"),
    schema="scoring",
)

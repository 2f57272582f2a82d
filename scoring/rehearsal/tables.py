"""The table of this room: rehearsals, each of exactly one text against exactly one rule book.

Of people it holds counts alone, and those only as they may be seen (`core.cellkeys`).
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata

# `digest`: of the rehearsed bytes; `against`: of everything that would rule on the day without them; `report`: the
# report's JSON bytes, `report_digest` their SHA-256 (hex), `statement` the same as a JWS. `figures_of`: the rehearsal
# whose numbers were given again, since fewer than ten people come out differently.
rehearsal = sa.Table(
    "rehearsal",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("release_id", sa.Uuid, sa.ForeignKey("core.release.id"), nullable=False, index=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("against", sa.Text, nullable=False),
    sa.Column("effective_on", sa.Date, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at", INSTANT, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("done", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("beat_at", INSTANT),
    sa.Column("made_at", INSTANT),
    sa.Column("figures_of", sa.Uuid),
    sa.Column("report", sa.LargeBinary),
    sa.Column("report_digest", sa.Text),
    sa.Column("statement", sa.Text),
    sa.CheckConstraint("state in ('queued', 'running', 'done', 'failed')", name="state"),
    sa.CheckConstraint(
        "(state = 'done') = (report is not null) and (report is null) = (report_digest is null)"
        " and (report is null) = (statement is null) and (report is null) = (made_at is null)",
        name="whole",
    ),
    sa.Index("ix_rehearsal_waiting", "asked_at", postgresql_where=sa.text("state in ('queued', 'running')")),
    schema="scoring",
)

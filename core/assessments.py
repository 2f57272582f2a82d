"""Impact assessments: what was weighed before something goes live, drafted by one person, decided by another.

PIPL articles 55 and 56: before sensitive data, automated decisions and sharing; kept for three years at least. Here
they are kept for good; one is live from its approval until its day, three years ahead at the most.
"""

import uuid
from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.releases import SecondPersonNeeded, same_person
from core.tables import assessment

LONGEST = timedelta(days=3 * 366)


class AssessmentMissing(Conflict):
    """Nothing goes live without a live impact assessment."""

    code = "assessment_missing"
    title = "There is no live impact assessment"


class AlreadyDecided(Conflict):
    """The assessment is decided."""

    code = "already_decided"
    title = "This assessment is already decided"


class Assessment(msgspec.Struct, frozen=True):
    """One assessment; `document` is the SHA-256 of the whole text in hex; `approved` None: not decided yet."""

    id: uuid.UUID
    subject_kind: str
    subject: str
    document: str
    risks: str
    measures: str
    valid_until: date
    drafted_by: str
    drafted_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    approved: bool | None

    def live(self, on: date) -> bool:
        """Whether it allows its subject on a day."""
        return self.approved is True and on <= self.valid_until


async def draft(
    session: AsyncSession,
    *,
    subject_kind: str,
    subject: str,
    document: str,
    risks: str,
    measures: str,
    valid_until: date,
    by: str,
) -> Assessment:
    """Keep a draft. Raises Invalid when it would be valid for longer than three years, or not any more."""
    if not clock.today() <= valid_until <= clock.today() + LONGEST:
        raise Invalid(errors=[FieldError("/valid_until", "out_of_range", "From today to three years ahead.")])
    values = {
        "id": ids.new(), "subject_kind": subject_kind, "subject": subject, "document": document, "risks": risks,
        "measures": measures, "valid_until": valid_until, "drafted_by": by, "drafted_at": clock.civil(),
    }  # fmt: skip
    made = await session.execute(assessment.insert().values(**values).returning(assessment))
    return Assessment(**made.mappings().one())


async def decide(session: AsyncSession, *, assessment_id: uuid.UUID, approved: bool, by: str) -> Assessment:
    """Approve or reject a draft. Raises NotFound, SecondPersonNeeded, AlreadyDecided."""
    found = await get(session, assessment_id=assessment_id)
    if same_person(found.drafted_by, by):
        raise SecondPersonNeeded("Somebody other than the drafter must decide.")
    done = await session.execute(
        update(assessment)
        .where(assessment.c.id == assessment_id, assessment.c.decided_at.is_(None))
        .values(decided_by=by, decided_at=clock.civil(), approved=approved)
        .returning(assessment)
    )
    row = done.mappings().one_or_none()
    if row is None:
        raise AlreadyDecided("Draft a new assessment.")
    return Assessment(**row)


async def get(session: AsyncSession, *, assessment_id: uuid.UUID) -> Assessment:
    """One assessment. Raises NotFound."""
    found = (await session.execute(select(assessment).where(assessment.c.id == assessment_id))).mappings().one_or_none()
    if found is None:
        raise NotFound
    return Assessment(**found)


async def everything(session: AsyncSession, *, limit: int, before: uuid.UUID | None = None) -> list[Assessment]:
    """Assessments, newest first, older than `before`."""
    query = select(assessment).order_by(assessment.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(assessment.c.id < before)
    return [Assessment(**row) for row in (await session.execute(query)).mappings()]


async def need(session: AsyncSession, *, subject_kind: str, subject: str | None = None) -> Assessment:
    """A live assessment of this subject, or of any of the kind. Raises AssessmentMissing."""
    query = select(assessment).where(
        assessment.c.subject_kind == subject_kind, assessment.c.approved, assessment.c.valid_until >= clock.today()
    )
    if subject is not None:
        query = query.where(assessment.c.subject == subject)
    found = (await session.execute(query.order_by(assessment.c.id.desc()).limit(1))).mappings().one_or_none()
    if found is None:
        named = f"the {subject_kind} {subject}" if subject else f"a {subject_kind}"
        detail = f"Assess {named} first (POST /v1/staff/impact-assessments), and have a second person approve it."
        raise AssessmentMissing(detail)
    return Assessment(**found)

"""Kinds of positives that a citizen does not want taken: no more are stored, and those there are go (SZX article 39).

Deductions cannot be refused: the law lets them come; they are disputed or repaired instead.
"""

import uuid
from datetime import datetime

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, NotFound
from core.keys import Keyring
from scoring import holders, rulebook, standing
from scoring.standing import NotEnrolled
from scoring.tables import record, refusal


class NotRefusable(Conflict):
    """Only kinds of positives can be refused."""

    code = "not_refusable"
    title = "This kind of record cannot be refused"


class Refused(msgspec.Struct, frozen=True):
    """A kind that the citizen does not want taken, since when."""

    kind: str
    name: str
    at: datetime


async def refuse(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, kind: str) -> int:
    """Take no more positives of a kind, and erase those there are; returns how many went.

    Raises NotEnrolled, NotFound for an unknown kind, NotRefusable.
    """
    book = await rulebook.current(session, on=clock.today())
    found = book.catalogue.kinds.get(kind)
    if found is None:
        raise NotFound
    if not found.positive:
        raise NotRefusable("扣分类信息依法提供，不能拒收；如有异议请提出异议。")
    holder = await holders.one(session, ring, citizen_id=citizen_id, locked=True)
    if holder is None:
        raise NotEnrolled
    wanted = insert(refusal).values(citizen_id=citizen_id, kind=kind, at=clock.civil())
    await session.execute(wanted.on_conflict_do_nothing())
    gone = await session.execute(
        delete(record)
        .where(record.c.record_subject == holder.record_subject, record.c.kind == kind)
        .returning(record.c.id)
    )
    erased = len(gone.all())
    if erased:
        await standing.rescore(session, [holder], as_of=clock.today(), cause=f"refused:{kind}", book=book)
    return erased


async def allow(session: AsyncSession, *, citizen_id: uuid.UUID, kind: str) -> None:
    """Take a kind again from now on; what was erased does not come back by itself."""
    await session.execute(delete(refusal).where(refusal.c.citizen_id == citizen_id, refusal.c.kind == kind))


async def refused(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Refused]:
    """The kinds that a citizen refused, by kind."""
    book = await rulebook.current(session, on=clock.today())
    rows = await session.execute(select(refusal).where(refusal.c.citizen_id == citizen_id).order_by(refusal.c.kind))
    kinds = book.catalogue.kinds
    return [Refused(row.kind, kinds[row.kind].name if row.kind in kinds else row.kind, row.at) for row in rows.all()]

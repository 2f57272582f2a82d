"""How far the daily pass has come: one row a day, for as long as a killed pass may need it.

A pass stands under one scorecard and one catalogue; when others come into force on the same day, the day's pass begins
anew. Promises that only one process at a time makes the pass, and that the end of a day's pass is told once.
"""

import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date, datetime

import msgspec
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.db import Doors
from core.months import shift
from scoring import rulebook
from scoring.rulebook import RuleBook
from scoring.tables import nightly

NOBODY = uuid.UUID(int=0)
_KEPT_MONTHS = 2
_LOCK = 0x05A5


class Cursor(msgspec.Struct, frozen=True):
    """A day's pass so far: everybody up to the citizen `after` was looked at; `changed` standings say something new."""

    day: date
    after: uuid.UUID
    people: int
    changed: int
    began_at: datetime
    ended_at: datetime | None


@asynccontextmanager
async def alone(doors: Doors) -> AsyncGenerator[bool]:
    """Whether this process may make the pass now; the right lasts for the block and dies with the process."""
    async with doors.claims("jobs") as session:
        held = bool(await session.scalar(select(func.pg_try_advisory_lock(_LOCK))))
        try:
            yield held
        finally:
            if held:
                await session.execute(select(func.pg_advisory_unlock(_LOCK)))


async def due(session: AsyncSession, *, day: date) -> bool:
    """Whether a day's pass is still to be made, or to be made again under the rules in force. NoScorecardInForce."""
    found = await look(session, day=day, book=await rulebook.current(session, on=day))
    return found is None or found.ended_at is None


async def look(session: AsyncSession, *, day: date, book: RuleBook) -> Cursor | None:
    """A day's pass under these rules so far; None before it began."""
    columns = [nightly.c[name] for name in Cursor.__struct_fields__]
    query = select(*columns).where(
        nightly.c.day == day, nightly.c.scorecard == book.scorecard.digest, nightly.c.catalogue == book.catalogue.digest
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else Cursor(*row)


async def begin(session: AsyncSession, *, day: date, book: RuleBook) -> Cursor:
    """Take up a day's pass where it was left, or begin it."""
    if (found := await look(session, day=day, book=book)) is not None:
        return found
    fresh = Cursor(day, NOBODY, 0, 0, clock.civil(), None)
    row = msgspec.structs.asdict(fresh) | {"scorecard": book.scorecard.digest, "catalogue": book.catalogue.digest}
    await session.execute(insert(nightly).values(row).on_conflict_do_update(index_elements=["day"], set_=row))
    await session.execute(delete(nightly).where(nightly.c.day < shift(day, -_KEPT_MONTHS)))
    return fresh


async def count(session: AsyncSession, *, day: date, changed: int) -> None:
    """Add standings that changed, in the transaction that changes them."""
    await session.execute(update(nightly).where(nightly.c.day == day).values(changed=nightly.c.changed + changed))


async def advance(session: AsyncSession, *, day: date, after: uuid.UUID, people: int) -> None:
    """Say that everybody up to a citizen was looked at, `people` more than before."""
    await session.execute(
        update(nightly).where(nightly.c.day == day).values(after=after, people=nightly.c.people + people)
    )


async def end(session: AsyncSession, *, day: date) -> Cursor:
    """End a day's pass."""
    over = update(nightly).where(nightly.c.day == day).values(ended_at=clock.civil())
    row = (await session.execute(over.returning(*[nightly.c[name] for name in Cursor.__struct_fields__]))).one()
    return Cursor(*row)


async def horizon(session: AsyncSession) -> str:
    """A point that every transaction under way now comes before."""
    return str(await session.scalar(text("select pg_snapshot_xmax(pg_current_snapshot())::text")))


async def passed(session: AsyncSession, point: str) -> bool:
    """Whether every transaction that was under way at a horizon is over."""
    query = text("select pg_snapshot_xmin(pg_current_snapshot()) >= cast(cast(:point as text) as xid8)")
    return bool(await session.scalar(query, {"point": point}))

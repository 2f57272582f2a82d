"""A citizen's own words beside a record: at most 200 characters, shown wherever the record is shown to them.

Whoever objects to what cannot be resolved, or wants to explain, may have the words kept with the datum (CIR articles 16
and 25). They are sealed under the records key, never change a point, and go with the record or with the key.
"""

import uuid
from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, sealed
from scoring.holders import Holder
from scoring.tables import statement

LONGEST = 200
_PLACE = ("scoring.statement", "sealed")


async def write(session: AsyncSession, holder: Holder, *, record_id: uuid.UUID, words: str) -> None:
    """Keep the holder's words with their record, in place of earlier ones. The caller has found the record theirs."""
    body = sealed.seal(holder.key, words.encode(), place=(*_PLACE, record_id.bytes))
    row = {"sealed": body, "at": clock.civil()}
    said = insert(statement).values(record_id=record_id, citizen_id=holder.citizen_id, **row)
    await session.execute(said.on_conflict_do_update(index_elements=["record_id"], set_=row))


async def note(session: AsyncSession, holder: Holder, *, record_id: uuid.UUID, words: str) -> None:
    """Keep what the holder objected beside a record, shortened to fit; words of theirs that are there stay."""
    fitting = words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
    body = sealed.seal(holder.key, fitting.encode(), place=(*_PLACE, record_id.bytes))
    said = insert(statement).values(record_id=record_id, citizen_id=holder.citizen_id, sealed=body, at=clock.civil())
    await session.execute(said.on_conflict_do_nothing())


async def erase(session: AsyncSession, holder: Holder, *, record_id: uuid.UUID) -> None:
    """Take the words back; nothing happens when there are none."""
    mine = (statement.c.record_id == record_id) & (statement.c.citizen_id == holder.citizen_id)
    await session.execute(delete(statement).where(mine))


async def beside(session: AsyncSession, holder: Holder, records: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The holder's words beside these records of theirs; records without words are absent."""
    mine = (statement.c.citizen_id == holder.citizen_id) & statement.c.record_id.in_(list(records))
    rows = await session.execute(select(statement.c.record_id, statement.c.sealed).where(mine))
    return {
        row.record_id: sealed.unseal(holder.key, row.sealed, place=(*_PLACE, row.record_id.bytes)).decode()
        for row in rows
    }

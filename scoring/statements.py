"""A citizen's own words beside a record: at most 200 characters, shown wherever the record is shown to them.

Whoever objects to what cannot be resolved, or wants to explain, may have the words kept with the datum (CIR articles 16
and 25). They are sealed under the records key, never change a point, and go with the record or with the key. They are
text and nothing else: control characters and those that turn the direction of writing are left out, since they could
make words of others look like the citizen's, or the other way round.
"""

import re
import uuid
from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, sealed
from core.errors import FieldError, Invalid
from scoring.holders import Holder
from scoring.tables import statement

LONGEST = 200
# Controls but for the line break, and marks, embeddings, overrides and isolates of direction (UAX 9).
_NO_TEXT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PLACE = ("scoring.statement", "sealed")


class NoWords(Invalid):
    """Nothing is left to keep, or more than fits."""

    code = "no_words"
    title = "These are no words to keep"


async def write(session: AsyncSession, holder: Holder, *, record_id: uuid.UUID, words: str) -> None:
    """Keep the holder's words with their record, in place of earlier ones. The caller has found the record theirs.

    Raises NoWords.
    """
    kept = _NO_TEXT.sub("", words).strip()
    if not 1 <= len(kept) <= LONGEST:
        raise NoWords(errors=[FieldError("/words", "no_words", f"Write 1 to {LONGEST} characters.")])
    body = sealed.seal(holder.key, kept.encode(), place=(*_PLACE, record_id.bytes))
    row = {"sealed": body, "at": clock.civil()}
    said = insert(statement).values(record_id=record_id, citizen_id=holder.citizen_id, **row)
    await session.execute(said.on_conflict_do_update(index_elements=["record_id"], set_=row))


async def note(session: AsyncSession, holder: Holder, *, record_id: uuid.UUID, words: str) -> None:
    """Keep what the holder objected beside a record, shortened to fit; words of theirs that are there stay."""
    kept = _NO_TEXT.sub("", words).strip()
    fitting = kept if len(kept) <= LONGEST else kept[: LONGEST - 1] + "…"
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

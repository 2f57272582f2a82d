"""A range of people as the daily pass reads it: who they are, what is stored of them, what the plan makes of them.

Read in one transaction that locks nobody; whatever is true of a person later is for the lock to find out. Keeps at most
one range in memory.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import subjects
from core import db
from core.keys import Keyring
from scoring import holders, retention, rows
from scoring.batch import taking
from scoring.batch.sources import ArrowTable
from scoring.holders import Holder
from scoring.rows import Standing
from scoring.rulebook import RuleBook


class Span(msgspec.Struct, frozen=True):
    """People in the order of their ids, the last of their ids, and what was read of them. `people` hold keys."""

    people: Sequence[Holder]
    last: uuid.UUID
    records: ArrowTable
    stored: Mapping[uuid.UUID, Standing]
    overdue: frozenset[uuid.UUID]


async def read(
    session: AsyncSession, ring: Keyring, *, after: uuid.UUID, size: int, book: RuleBook, as_of: date
) -> Span | None:
    """The next `size` people behind a citizen id who take part now; None when there is nobody any more."""
    connection = await db.raw(session)
    page = await connection.fetch(_PAGE, after, size)
    if not page:
        return None
    return await of(session, ring, citizen_ids=[row[0] for row in page], book=book, as_of=as_of)


async def of(
    session: AsyncSession, ring: Keyring, *, citizen_ids: Sequence[uuid.UUID], book: RuleBook, as_of: date
) -> Span:
    """Those of these citizens, at least one and in the order of their ids, who take part now."""
    found = await holders.of(session, ring, citizen_ids=citizen_ids)
    people = [found[one] for one in citizen_ids if one in found and found[one].adult_on <= as_of]
    return Span(
        people,
        citizen_ids[-1],
        await records(session, people, book=book),
        await rows.stored(session, [one.citizen_id for one in people]),
        frozenset(await retention.overdue(session, [one.record_subject for one in people], book=book, today=as_of)),
    )


async def records(session: AsyncSession, people: Sequence[Holder], *, book: RuleBook) -> ArrowTable:
    """The live records of some people that the scorecard counts and that they allow; `subject` is the place there."""
    taken = await taking.take(
        session, subjects=[one.record_subject for one in people], kinds=sorted(book.scorecard.kinds())
    )
    if not book.sensitive:
        return taken
    allowed = await subjects.sensitive(session, citizen_ids=[one.citizen_id for one in people])
    given = {place: allowed.get(one.citizen_id, frozenset()) for place, one in enumerate(people)}
    return taking.permitted(taken, sensitive=book.sensitive, allowed=given)


async def total(session: AsyncSession) -> int:
    """How many people there are to look at."""
    return await (await db.raw(session)).fetchval(_TOTAL)


async def rescored(
    session: AsyncSession, *, before: date, since: datetime, after: uuid.UUID, limit: int
) -> list[uuid.UUID]:
    """The next citizens whose standing was computed since an instant, for a day before the one given."""
    connection = await db.raw(session)
    return [row[0] for row in await connection.fetch(_RESCORED, before, since, after, limit)]


_PAGE = "select citizen_id from scoring.link where citizen_id > $1 order by citizen_id limit $2"
_TOTAL = "select count(*) from scoring.link"
_RESCORED = """
select citizen_id from scoring.standing
where as_of < $1 and computed_at >= $2 and citizen_id > $3 order by citizen_id limit $4
"""

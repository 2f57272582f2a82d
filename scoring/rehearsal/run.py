"""Everybody under two rule books on one day: read at the jobs door in chunks, evaluated, counted, and forgotten.

Writes no standing and keeps of nobody anything: the numbers of `tally` come out. Earlier rehearsals of other drafts are
evaluated beside it until ten people come out differently: a draft that differs from one of them for fewer would tell,
by subtraction, about those few, so it is given that one's numbers instead.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, timedelta

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import cellkeys, db
from core.cellkeys import LEAST
from core.db import Doors
from scoring import holders, standing
from scoring.points.evaluate import Evaluation
from scoring.rehearsal.tally import Figures, Outcome, Person, Tally
from scoring.rulebook import RuleBook

Groups = Callable[[AsyncSession, Sequence[uuid.UUID]], Awaitable[Mapping[uuid.UUID, Person]]]
Told = Callable[[int, int], Awaitable[None]]
_NOBODY = Person(None, None, None)
_LABEL = "rehearsal|cell keys"


class World(msgspec.Struct, frozen=True):
    """A rule book, and the threshold (tenths) of each perk that is open under it."""

    book: RuleBook
    thresholds: Mapping[str, int]

    def outcome(self, evaluation: Evaluation) -> Outcome:
        """What somebody with this evaluation may have; who is held has nothing beyond the standard route."""
        granted = [
            perk for perk, start in self.thresholds.items() if evaluation.points >= start and not evaluation.held
        ]
        return Outcome(evaluation, frozenset(granted))


class Compared(msgspec.Struct, frozen=True):
    """The numbers; or `like`, the earlier rehearsal from which too few people come out differently."""

    figures: Figures
    like: uuid.UUID | None


async def over_everyone(
    doors: Doors,
    *,
    old: World,
    new: World,
    others: Mapping[uuid.UUID, World],
    on: date,
    groups: Groups,
    told: Told,
    chunk: int = 500,
) -> Compared:
    """Count what changes on a day for everybody who takes part; `told(done, total)` after each chunk."""
    secret = doors.ring.derive(_LABEL)
    tally, differing = Tally(old.book.scorecard, new.book.scorecard), dict.fromkeys(others, 0)
    last, done, total = uuid.UUID(int=0), 0, await _total(doors)
    while True:
        async with doors.work("jobs") as session:
            some = await _page(session, last, chunk)
            if not some:
                break
            last = some[-1]
            people = await groups(session, some)
            held = list((await holders.of(session, doors.ring, citizen_ids=some)).values())
            eve = await standing.evaluate(session, held, as_of=on - timedelta(days=1), book=old.book)
            before = await standing.evaluate(session, held, as_of=on, book=old.book)
            after = await standing.evaluate(session, held, as_of=on, book=new.book)
            for other in [one for one, count in differing.items() if count < LEAST]:
                found = await standing.evaluate(session, held, as_of=on, book=others[other].book)
                differing[other] += sum(
                    not new.outcome(after[one]).same(others[other].outcome(found[one])) for one in after
                )
        for one, evaluation in after.items():
            key = cellkeys.person_key(secret, one.bytes)
            who = people.get(one, _NOBODY)
            tally.add(key, who, eve.get(one, before[one]), old.outcome(before[one]), new.outcome(evaluation))
        done += len(some)
        await told(done, max(done, total))
    like = next((one for one, count in differing.items() if count < LEAST), None)
    return Compared(tally.figures(_names(old.book) | _names(new.book)), like)


async def _page(session: AsyncSession, last: uuid.UUID, chunk: int) -> list[uuid.UUID]:
    connection = await db.raw(session)
    page = await connection.fetch(
        "select citizen_id from scoring.link where citizen_id > $1 order by citizen_id limit $2", last, chunk
    )
    return [row["citizen_id"] for row in page]


async def _total(doors: Doors) -> int:
    async with doors.work("jobs") as session:
        return await session.scalar(text("select count(*) from scoring.link")) or 0


def _names(book: RuleBook) -> dict[str, str]:
    """What the parts of a scorecard are called."""
    card = book.scorecard
    found = {one.id: one.name for one in (*card.dimensions, *card.deductions)}
    return found | {one.id: one.name for one in card.indicators()}

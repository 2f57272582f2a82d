"""What-if: a citizen's points of a day if something happened, by the evaluator that counts the real ones.

Nothing is stored, and nothing is logged of what somebody supposed. Promises that the answer equals the real points
once the same has happened and nothing else has.
"""

import uuid
from collections.abc import Mapping
from datetime import date

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Invalid
from core.keys import Keyring
from core.months import shift
from scoring import holders, rulebook
from scoring.past import known, whatif
from scoring.past.cards import Card
from scoring.past.whatif import Rules, Supposed
from scoring.points.efforts import future, whole
from scoring.points.evaluate import Evaluation
from scoring.points.facts import Fact, RecordRow, facts
from scoring.rulebook import RuleBook
from scoring.standing import NotEnrolled
from scoring.tables import refusal

AHEAD_MONTHS = 60


class DayOutOfReach(Invalid):
    """What-if begins today and looks five years ahead."""

    code = "day_out_of_reach"
    title = "The day is out of reach"


class NoSuchEffort(Invalid):
    """An indicator for which nothing can be done, or is not let be done by this citizen, or more than it can hold."""

    code = "no_such_effort"
    title = "Nothing can be done for this indicator, or not so much"


class Outcome(msgspec.Struct, frozen=True):
    """The points of the day if nothing happens and if it does, and the scorecard of that day."""

    without: Evaluation
    supposed: Evaluation
    card: Card


async def simulate(
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_id: uuid.UUID,
    supposed: Supposed,
    on: date | None,
    efforts: Mapping[str, int] | None = None,
) -> Outcome:
    """Suppose something about a citizen's records, for a day from today on.

    `efforts`: units of what an indicator asks for, done from now on at their natural pace. Without a day, the points
    are those of the day on which the last of them is done, or of today. Raises NotEnrolled, DayOutOfReach, NotFound,
    NotEndable, NotHideable, WouldNotBeTaken, NoSuchEffort.
    """
    today = clock.today()
    last = shift(today, AHEAD_MONTHS)
    if on is not None and not today <= on <= last:
        detail = f"试算的日期要从今天起，到{last}为止；过去的日子请看当天的分数。"
        raise DayOutOfReach(detail)
    holder = await holders.one(session, ring, citizen_id=citizen_id)
    if holder is None:
        raise NotEnrolled
    book = await rulebook.current(session, on=on or today)
    held = [one.row for one in await known.of(session, holder, book=book)]
    kinds = await session.scalars(select(refusal.c.kind).where(refusal.c.citizen_id == citizen_id))
    taken, refused = book.kinds - await known.barred(session, holder, book=book), frozenset(kinds)
    done = _done(book, efforts or {}, taken - refused, today)
    day = on or max([today, *(one.occurred_on for one in done)])
    then = whatif.after(held, supposed, rules=Rules(book.catalogue, book.reader, taken, refused), on=day)

    def counted(rows: list[RecordRow], more: list[Fact]) -> Evaluation:
        return book.evaluator([*facts(rows), *more], holder.adult_on, day)

    return Outcome(counted(held, []), counted(then, done), Card(book.scorecard, book.evaluator))


def _done(book: RuleBook, efforts: Mapping[str, int], taken: frozenset[str], today: date) -> list[Fact]:
    """The rows of these efforts, as if begun now. Raises NoSuchEffort."""
    rules = {one.id: one for one in book.scorecard.indicators()}
    done: list[Fact] = []
    for name, units in efforts.items():
        rule = rules.get(name)
        if rule is None or rule.effort is None or not 0 <= units <= whole(rule, rule.effort):
            raise NoSuchEffort("没有这样一件可以做的事，或者数量超过了它能得分的范围。")
        if rule.kinds[0] not in taken:
            raise NoSuchEffort("您不让这类记录被收取；先重新允许，才会计分。")
        done += future(rule, rule.effort, units, today)
    return done

"""What-if: a citizen's points of a day if something happened, by the evaluator that counts the real ones.

Nothing is stored, and nothing is logged of what somebody supposed. Promises that the answer equals the real points
once the same has happened and nothing else has.
"""

import uuid
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
from scoring.points.evaluate import Evaluation
from scoring.points.facts import RecordRow, facts
from scoring.standing import NotEnrolled
from scoring.tables import refusal

AHEAD_MONTHS = 60


class DayOutOfReach(Invalid):
    """What-if begins today and looks five years ahead."""

    code = "day_out_of_reach"
    title = "The day is out of reach"


class Outcome(msgspec.Struct, frozen=True):
    """The points of the day if nothing happens and if it does, and the scorecard of that day."""

    without: Evaluation
    supposed: Evaluation
    card: Card


async def simulate(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, supposed: Supposed, on: date
) -> Outcome:
    """Suppose something about a citizen's records, for a day from today on.

    Raises NotEnrolled, DayOutOfReach, NotFound, NotEndable, NotHideable, WouldNotBeTaken.
    """
    today = clock.today()
    last = shift(today, AHEAD_MONTHS)
    if not today <= on <= last:
        detail = f"试算的日期要从今天起，到{last}为止；过去的日子请看当天的分数。"
        raise DayOutOfReach(detail)
    holder = await holders.one(session, ring, citizen_id=citizen_id)
    if holder is None:
        raise NotEnrolled
    book = await rulebook.current(session, on=on)
    held = [one.row for one in await known.of(session, holder, book=book)]
    kinds = await session.scalars(select(refusal.c.kind).where(refusal.c.citizen_id == citizen_id))
    taken = book.kinds - await known.barred(session, holder, book=book)
    rules = Rules(book.catalogue, book.reader, taken, frozenset(kinds))
    then = whatif.after(held, supposed, rules=rules, on=on)

    def counted(rows: list[RecordRow]) -> Evaluation:
        return book.evaluator(facts(rows), holder.adult_on, on)

    return Outcome(counted(held), counted(then), Card(book.scorecard, book.evaluator))

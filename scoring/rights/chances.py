"""Which of a citizen's deductions can be repaired, from which day on, and how; asked before applying and by reminders.

The day is counted from the document's effect by the minimum display time of its kind (Order 36: three months for
general, a year for serious ones). It says nothing about what a person will decide.
"""

import uuid
from datetime import date

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core.keys import Keyring
from core.months import shift
from scoring import records
from scoring.book.repairfile import RepairRules
from scoring.records import Shown

_MOST = 50
COUNTING = frozenset({"active", "disputed"})


class Chance(msgspec.Struct, frozen=True):
    """A deduction that still counts: `on` is the first day on which repair can be applied for, None for other ways.

    `how` says for those how the effect ends; `always` and `one_of` are ids of conditions.
    """

    record: Shown
    on: date | None
    always: tuple[str, ...]
    one_of: tuple[str, ...]
    how: str


async def of(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, rules: RepairRules, today: date
) -> list[Chance]:
    """The citizen's deductions that count now or will, by kind. Raises NotEnrolled."""
    found: list[Chance] = []
    for code in sorted(rules.kinds.keys() | rules.others.keys()):
        held = await records.of(session, ring, citizen_id=citizen_id, limit=_MOST, kind=code)
        found += [chance(rules, one) for one in held if counts(one, today)]
    return found


def counts(one: Shown, today: date) -> bool:
    """Whether a deduction takes points now, or will, or would without a dispute."""
    return not one.positive and one.status in COUNTING and (one.until_on is None or one.until_on > today)


def chance(rules: RepairRules, one: Shown) -> Chance:
    """What a deduction's chance is under these rules."""
    term = rules.kinds.get(one.kind)
    if term is None:
        return Chance(one, None, (), (), rules.others.get(one.kind, ""))
    return Chance(one, shift(_begins(one), term.minimum_months), term.always, term.one_of, "")


def _begins(one: Shown) -> date:
    """The first day of its display: the document's effect, which is never after the day from which it counts."""
    told = (one.document or {}).get("effective_on")
    return date.fromisoformat(told) if isinstance(told, str) else told or one.from_on or one.occurred_on

"""What is looked up for every row before it is gathered: the slot that it counts in, and its month as a bit.

Pure. A slot is the number of a rule that counts rows of its own. Numbers are in such an order that a range of them
tells how a row is gathered: first what most rows are about, then the seldom, then what takes points.
"""

from datetime import date, timedelta

import msgspec

from core.months import number, shift
from scoring.book.rules import Deduction, Hold, Indicator
from scoring.book.scorecard import Scorecard

ROWS = {
    "subject": "int64",
    "slot": "int8",
    "occurred_on": "date",
    "month": "int64",
    "quantity": "int64",
    "level": "int16",
    "from_on": "date",
    "until_on": "date",
}
KINDS = {"kind": "string", "slot": "int8", "after": "date"}
MONTHS = {"occurred_on": "date", "month": "int64"}

OFTEN, SELDOM, TAKING = range(3)
_LONGEST = 61  # months of a window, which begins and ends inside one, whose bits leave an int64 positive


class Slot(msgspec.Struct, frozen=True):
    """One slot: how it is gathered, the day after which its rows count (that of the evaluator), its rule and kinds."""

    gathered: int
    after: date
    rule: Indicator | Deduction | Hold
    kinds: tuple[str, ...]


def slots(card: Scorecard, as_of: date) -> list[Slot]:
    """Give the slots of a card; their numbers are their places."""

    def slot(gathered: int, window: int, rule: Indicator | Deduction | Hold, *kinds: str) -> Slot:
        return Slot(gathered, shift(as_of, -window) if window else date.min, rule, kinds)

    found = [
        slot(OFTEN if often(rule) else SELDOM, rule.window_months, rule, *rule.kinds)
        for rule in card.indicators()
        if rule.measure != "clean_years"  # they look at the deductions' rows
    ]
    found += [slot(TAKING, rule.hard_stop_months, rule, rule.kind) for rule in card.deductions]
    found += [slot(TAKING, 0, rule, rule.kind) for rule in card.holds]
    return sorted(found, key=lambda one: one.gathered)


def often(rule: Indicator) -> bool:
    """Say whether most rows are about such rules: those with a short window, whose months fit a word."""
    return rule.measure != "best" and 0 < rule.window_months <= _LONGEST


def kinds(card: Scorecard, as_of: date) -> list[tuple[str, int, date]]:
    """Give each kind that counts, its slot, and the day after which its rows count."""
    return [(kind, place, one.after) for place, one in enumerate(slots(card, as_of)) for kind in one.kinds]


def months(as_of: date) -> dict[date, int]:
    """Give each day of the longest window its calendar month as a bit; the lowest bit is the month of `as_of`."""
    first = shift(as_of, -_LONGEST)
    days = [first + timedelta(days=day) for day in range((as_of - first).days + 1)]
    return {day: 1 << (number(as_of) - number(day)) for day in days}

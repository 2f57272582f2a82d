"""Units of the rows that are not counted by months in a word: sums, honours, deductions, holds, what counts for ever.

Pure. There are few such rows, so each rule takes its own and puts them onto an array that has a place for everybody:
for an engine to group them and to join the groups to the people costs more than all that it does besides.
`scoring.batch.gather` says the same in Ibis.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

import numpy as np

from scoring.batch import slots
from scoring.batch.slots import MONTHLY, TAKING, Slot
from scoring.book.rules import Indicator
from scoring.book.scorecard import Scorecard

_EPOCH = date(1970, 1, 1)
_LEVELS = 1 << 16  # as many as the column can tell apart
_MONTHS = 1 << 20  # more than there are in all years

Array = np.ndarray[Any, np.dtype[Any]]


class Rows(NamedTuple):
    """Rows of slots, column by column, each with its person's place; a day that is missing is `NEVER`, a level 0."""

    person: Array
    slot: Array
    occurred_on: Array
    quantity: Array
    level: Array
    from_on: Array
    until_on: Array

    def where(self, some: Array | slice) -> "Rows":
        """Give some of the rows."""
        return Rows(*[column[some] for column in self])


def day(day: date) -> int:
    """Give the number of a day, as columns have it."""
    return (day - _EPOCH).days


NEVER = day(date.max)


def units(card: Scorecard, rows: Rows, places: int, as_of: date) -> dict[str, Array]:
    """Give the units of every rule that is not counted in a word, an array of so many places for each."""
    by_slot = _by_slot(rows, slots.slots(card, as_of), day(as_of))
    made: dict[str, Array] = {}
    for one, mine in by_slot:
        measure = _MEASURES[one.rule.measure] if isinstance(one.rule, Indicator) else _count
        made[f"u_{one.rule.id}"] = measure(one.rule, mine, places)
    for rule in card.indicators():
        if rule.measure == "clean_years":
            first = made[f"u_{rule.id}"] = np.full(places, NEVER, "int32")
            for one, mine in by_slot:
                if not set(rule.kinds).isdisjoint(one.kinds):
                    np.minimum.at(first, mine.person, mine.from_on)
    return made


def _by_slot(rows: Rows, found: list[Slot], today: int) -> list[tuple[Slot, Rows]]:
    """Give each slot's rows that count today."""
    taking = rows.slot >= sum(one.gathered < TAKING for one in found)
    counts = np.where(taking, (rows.from_on <= today) & (rows.until_on > today), rows.occurred_on <= today)
    some = np.flatnonzero(counts)
    rows = rows.where(some[np.argsort(rows.slot[some], kind="stable")])
    ends = np.searchsorted(rows.slot, np.arange(len(found) + 1))
    return [
        (one, rows.where(slice(ends[number], ends[number + 1])))
        for number, one in enumerate(found)
        if one.gathered != MONTHLY
    ]


def _months(_rule: object, rows: Rows, places: int) -> Array:
    """Distinct calendar months with at least one row."""
    months = rows.occurred_on.astype("datetime64[D]").astype("datetime64[M]").astype("int64") % _MONTHS
    return np.bincount(np.unique(rows.person * _MONTHS + months) // _MONTHS, minlength=places)


def _sum(_rule: object, rows: Rows, places: int) -> Array:
    """Quantities added."""
    sums = np.zeros(places, "int64")
    np.add.at(sums, rows.person, rows.quantity)
    return sums


def _count(_rule: object, rows: Rows, places: int) -> Array:
    """Rows counted."""
    return np.bincount(rows.person, minlength=places)


def _best(rule: Indicator, rows: Rows, places: int) -> Array:
    """Tenths of the highest level."""
    worth, best = np.zeros(_LEVELS, "int64"), np.zeros(places, "int64")
    worth[[one.level for one in rule.levels]] = [one.points for one in rule.levels]
    np.maximum.at(best, rows.person, worth[rows.level])
    return best


_MEASURES: Mapping[str, Callable[[Any, Rows, int], Array]] = {
    "months": _months, "sum": _sum, "count": _count, "best": _best
}  # fmt: skip

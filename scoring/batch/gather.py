"""What counts of everybody's rows, as units: months, sums, counts and first days for each rule, a row a person.

Pure: the half of `scoring.batch.plan` that meets the many rows, for an engine that reads them itself; in memory
`scoring.batch.lookups` makes the same. A month is a bit that is or-ed into a word which several rules share: to count
distinct values costs an engine more than all else. The rest is gathered apart. Gives the same integers on every engine.
"""

from collections.abc import Callable, Iterable
from datetime import date
from functools import reduce
from typing import Any, cast

import ibis as untyped  # pyright: ignore[reportMissingTypeStubs]  (none are published)

from scoring.batch import slots
from scoring.batch.slots import SELDOM, TAKING, Word
from scoring.book.rules import Indicator
from scoring.book.scorecard import Scorecard

Table = Any  # ibis carries no types: its tables and columns are Any here and nowhere above this room
Column = Any
ibis = cast("Any", untyped)

_SHIFT = 30  # the furthest that every engine shifts a bit: Polars computes powers of two in 32 bits


def joined(card: Scorecard, records: Table, register: Table, by_kind: Table, by_day: Table, as_of: date) -> Table:
    """Make every adult's units (`slots.units`), of active records of a kind, a window and an age that count, by joins.

    A unit is null where somebody has none.
    """
    adults = register.filter(register.adult_on <= as_of)
    rows = records.filter(records.status == "active").inner_join(by_kind, "kind")
    rows = rows.filter(rows.occurred_on > rows.after).inner_join(adults, "subject")
    rows = rows.filter(rows.occurred_on >= rows.adult_on)
    rest = rows.slot >= _first(card, SELDOM, as_of)
    monthly = rows.filter(~rest).inner_join(by_day, "occurred_on")  # which has no day to come
    people = adults.left_join(_months_of(card, monthly, as_of), "subject").drop("subject_right")
    people = people.left_join(_rest(card, rows.filter(rest), as_of), "subject").drop("subject_right")
    return people.select(*slots.units(card))


def _months_of(card: Scorecard, rows: Table, as_of: date) -> Table:
    """Count the months of each rule that has its own in a word."""
    rules = {rule.id: rule for rule in card.indicators()}

    def mine(word: Word) -> Column:
        return _mine(card, rows, as_of, [kind for rule in word.masks for kind in rules[rule].kinds])

    lifted = {word.name: mine(word).ifelse(rows.month * rows.lift, 0) for word in slots.words(card)}
    rows = rows.select("subject", **lifted)
    return _counted(card, rows.group_by("subject").aggregate(**{name: rows[name].bit_or() for name in lifted}))


def _counted(card: Scorecard, people: Table) -> Table:
    """Count the months of each rule in its word: its bits of an integer, by halves (Hacker's Delight, 5-1)."""
    words = slots.words(card)
    months = {f"u_{rule}": people[word.name] & mask for word in words for rule, mask in word.masks.items()}
    people = people.mutate(**months).drop(*[word.name for word in words])
    for halve in _HALVINGS:
        people = people.mutate(**{name: halve(people[name]) for name in months})
    return people


_HALVINGS: tuple[Callable[[Column], Column], ...] = (
    lambda bits: bits - ((bits >> 1) & 0x5555555555555555),
    lambda bits: (bits & 0x3333333333333333) + ((bits >> 2) & 0x3333333333333333),
    lambda bits: (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F,
    lambda bits: bits + (bits >> 8),
    lambda bits: bits + (bits >> 16),
    lambda bits: (bits + (bits >> _SHIFT >> (32 - _SHIFT))) & 0x7F,
)


def _rest(card: Scorecard, rows: Table, as_of: date) -> Table:
    """Gather sums, counts, honours, deductions, holds and what counts for ever."""
    live = (rows.from_on <= as_of) & (rows.until_on.isnull() | (rows.until_on > as_of))
    taking = rows.slot >= _first(card, TAKING, as_of)
    rows = rows.filter(taking.ifelse(live, rows.occurred_on <= as_of))
    measures = {"months": _months, "sum": _sum, "count": _count, "best": _best}
    units = {
        f"u_{rule.id}": measures[rule.measure](rule, rows, _mine(card, rows, as_of, rule.kinds))
        for rule in _rules(card, as_of, SELDOM)
    }
    clean = [rule for rule in card.indicators() if rule.measure == "clean_years"]
    units |= {f"u_{rule.id}": rows.from_on.min(where=_mine(card, rows, as_of, rule.kinds)) for rule in clean}
    taken = (*card.deductions, *card.holds)
    units |= {f"u_{one.id}": rows.count(where=_mine(card, rows, as_of, [one.kind])) for one in taken}
    return rows.group_by("subject").aggregate(**units)


def whole(unit: Column) -> Column:
    """The unit as a number; whoever has none has 0."""
    return unit.cast("int64").fill_null(0)


def _rules(card: Scorecard, as_of: date, gathered: int) -> list[Any]:
    return [one.rule for one in slots.slots(card, as_of) if one.gathered == gathered]


def _first(card: Scorecard, gathered: int, as_of: date) -> int:
    """Give the first slot that is gathered like this, or behind; all further ones are, or behind it."""
    return sum(one.gathered < gathered for one in slots.slots(card, as_of))


def _mine(card: Scorecard, rows: Table, as_of: date, some: Iterable[str]) -> Column:
    """Say of each row whether it is in a slot of these kinds."""
    mine = [place for place, one in enumerate(slots.slots(card, as_of)) if not set(some).isdisjoint(one.kinds)]
    return reduce(lambda one, other: one | other, [rows.slot == place for place in mine])


def _months(_rule: Indicator, rows: Table, mine: Column) -> Column:
    """Distinct calendar months with at least one row."""
    return (rows.occurred_on.year().cast("int64") * 12 + rows.occurred_on.month()).nunique(where=mine)


def _sum(_rule: Indicator, rows: Table, mine: Column) -> Column:
    """Quantities added."""
    return rows.quantity.sum(where=mine)


def _count(_rule: Indicator, rows: Table, mine: Column) -> Column:
    """Rows counted."""
    return rows.count(where=mine)


def _best(rule: Indicator, rows: Table, mine: Column) -> Column:
    """Tenths of the highest level."""
    return rows.level.cases(*[(level.level, level.points) for level in rule.levels], else_=0).max(where=mine)

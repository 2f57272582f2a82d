"""What counts of everybody's rows, as units: months, sums, counts and first days for each rule, a row a person.

Pure: the half of `scoring.batch.plan` that meets the many rows, so it is written for speed. Whatever has to be looked
up for a row comes with it (`slots.ROWS`). What most rows are about is gathered apart from the rest, and a month is a
bit that is or-ed, since to count distinct values costs an engine more than all else. Gives the same integers on every
engine.
"""

from collections.abc import Callable, Iterable
from datetime import date
from functools import reduce
from itertools import groupby
from operator import or_
from typing import Any, cast

import ibis as untyped  # pyright: ignore[reportMissingTypeStubs]  (none are published)

from scoring.batch.slots import OFTEN, ROWS, SELDOM, TAKING, kinds, often, slots
from scoring.book.rules import Indicator
from scoring.book.scorecard import Scorecard

Table = Any  # ibis carries no types: its tables and columns are Any here and nowhere above this room
Column = Any
ibis = cast("Any", untyped)

_SHIFT = 30  # the furthest that every engine shifts a bit: Polars computes powers of two in 32 bits


def joined(records: Table, register: Table, by_kind: Table, by_day: Table) -> Table:
    """Make `slots.ROWS` of active records that count, by joins; in memory `scoring.batch.lookups` makes them."""
    rows = records.filter(records.status == "active").inner_join(by_kind, "kind").inner_join(register, "subject")
    rows = rows.left_join(by_day, "occurred_on")
    return rows.select(**{name: rows[name] for name in ROWS} | {"month": rows.month.fill_null(0)})


def frequent(card: Scorecard, rows: Table, as_of: date) -> Table:
    """Gather for each person what most rows are about: the months of each rule as bits, sums and counts."""
    rows = rows.filter(_inside(card, rows, OFTEN, as_of), rows.occurred_on <= as_of, _of_age(rows))
    units: dict[str, Column] = {}
    for rule in _rules(card, as_of, OFTEN):
        unit, gathered = _GATHERED[rule.measure]
        units[f"u_{rule.id}"] = gathered(_mine(card, rows, as_of, rule.kinds).ifelse(unit(rows), 0))
    return rows.group_by("subject").aggregate(**units)


_GATHERED: dict[str, tuple[Callable[[Table], Column], Callable[[Column], Column]]] = {
    "months": (lambda rows: rows.month, lambda bits: bits.bit_or()),
    "sum": (lambda rows: rows.quantity, lambda quantities: quantities.sum()),
    "count": (lambda _: 1, lambda ones: ones.sum()),
}


def counted(card: Scorecard, people: Table) -> Table:
    """Count the months of each rule in its word: the bits of an integer, by halves (Hacker's Delight, 5-1)."""
    names = [f"u_{rule.id}" for rule in card.indicators() if rule.measure == "months" and often(rule)]
    people = people.mutate(**{name: whole(people[name]) for name in names})
    for halve in _HALVINGS:
        people = people.mutate(**{name: halve(people[name]) for name in names})
    return people


_HALVINGS: tuple[Callable[[Column], Column], ...] = (
    lambda bits: bits - ((bits >> 1) & 0x5555555555555555),
    lambda bits: (bits & 0x3333333333333333) + ((bits >> 2) & 0x3333333333333333),
    lambda bits: (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F,
    lambda bits: bits + (bits >> 8),
    lambda bits: bits + (bits >> 16),
    lambda bits: (bits + (bits >> _SHIFT >> (32 - _SHIFT))) & 0x7F,
)


def seldom(card: Scorecard, rows: Table, as_of: date) -> Table:
    """Gather honours, deductions, holds and what counts for ever: few rows, so gathering them apart spares the many."""
    live = (rows.from_on <= as_of) & (rows.until_on.isnull() | (rows.until_on > as_of))
    given = _inside(card, rows, SELDOM, as_of) & (rows.occurred_on <= as_of)
    rows = rows.filter(given | (_inside(card, rows, TAKING, as_of) & live), _of_age(rows))
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
    return [one.rule for one in slots(card, as_of) if one.gathered == gathered]


def _inside(card: Scorecard, rows: Table, gathered: int, as_of: date) -> Column:
    """Say of each row whether its slot is gathered like this, and its day in the slot's window."""
    found = [place for place in enumerate(slots(card, as_of)) if place[1].gathered == gathered]
    spans = [(after, list(some)) for after, some in groupby(found, lambda place: place[1].after)]
    windows = [rows.slot.between(some[0][0], some[-1][0]) & (rows.occurred_on > after) for after, some in spans]
    return reduce(or_, windows, ibis.literal(value=False))


def _of_age(rows: Table) -> Column:
    return rows.occurred_on >= rows.adult_on


def _mine(card: Scorecard, rows: Table, as_of: date, some: Iterable[str]) -> Column:
    """Say of each row whether it is in a slot of these kinds."""
    by_kind = kinds(card, as_of)
    return reduce(or_, [rows.slot == slot for slot in sorted({by_kind[kind] for kind in some})])


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

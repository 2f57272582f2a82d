"""What counts of everybody's rows, as units: months, sums, counts and first days for each rule, a row a person.

Pure: the half of `scoring.batch.plan` that meets the many rows, so it is written for speed. Whatever has to be looked
up for a row comes with it. What most rows are about comes as what a row adds to each pile (`slots.frequent`), and a
month is a bit that is or-ed into a word which several rules share: to count distinct values costs an engine more than
all else, and every further sum as much as a column. Or-ing and adding do not mind if some rows of a person were put
together before. The rest (`slots.SELDOM`) is gathered apart. Gives the same integers on every engine.
"""

from collections.abc import Callable, Iterable
from datetime import date
from functools import reduce
from typing import Any, NamedTuple, cast

import ibis as untyped  # pyright: ignore[reportMissingTypeStubs]  (none are published)

from scoring.batch import slots
from scoring.batch.slots import RARE, SELDOM, TAKING, Pile
from scoring.book.rules import Indicator
from scoring.book.scorecard import Scorecard

Table = Any  # ibis carries no types: its tables and columns are Any here and nowhere above this room
Column = Any
ibis = cast("Any", untyped)

_SHIFT = 30  # the furthest that every engine shifts a bit: Polars computes powers of two in 32 bits


class Rows(NamedTuple):
    """What the plan is given: adults with the units of what most rows are about (`slots.units`), and the seldom rows.

    A unit may be null where somebody has none; seldom rows are those of `slots.SELDOM`.
    """

    people: Table
    seldom: Table


def joined(card: Scorecard, records: Table, register: Table, by_kind: Table, by_day: Table, as_of: date) -> Rows:
    """Make units and seldom rows, of active records of a kind, a window and an age that count, by joins.

    In memory `scoring.batch.lookups` makes them.
    """
    adults = register.filter(register.adult_on <= as_of)
    rows = records.filter(records.status == "active").inner_join(by_kind, "kind")
    rows = rows.filter(rows.occurred_on > rows.after).inner_join(adults, "subject")
    rows = rows.filter(rows.occurred_on >= rows.adult_on)
    rare = rows.slot >= _first(card, RARE, as_of)
    frequent = rows.filter(~rare).inner_join(by_day, "occurred_on")  # which has no day to come
    added = {pile.name: _added(card, frequent, pile, as_of) for pile in slots.piles(card)}
    units = _counted(card, _together(card, frequent.select("subject", **added)))
    people = adults.left_join(units, "subject").select(*slots.units(card))
    return Rows(people, rows.filter(rare).select(*SELDOM))


def _added(card: Scorecard, rows: Table, pile: Pile, as_of: date) -> Column:
    """What a row adds to a pile; 0 when it is about something else."""
    kinds = [kind for rule in card.indicators() if rule.id in pile.masks for kind in rule.kinds]
    amounts = {"months": rows.month * rows.lift, "sum": rows.quantity, "count": ibis.literal(1, "int64")}
    return _mine(card, rows, as_of, kinds).ifelse(amounts[pile.measure], 0)


def _together(card: Scorecard, rows: Table) -> Table:
    """Give for each person what their rows add to each pile: words are or-ed, the rest is summed."""
    piles = {
        pile.name: rows[pile.name].bit_or() if pile.measure == "months" else rows[pile.name].sum().cast("int64")
        for pile in slots.piles(card)
    }
    return rows.group_by("subject").aggregate(**piles)


def _counted(card: Scorecard, people: Table) -> Table:
    """Count the months of each rule in its word: its bits of an integer, by halves (Hacker's Delight, 5-1)."""
    words = [pile for pile in slots.piles(card) if pile.measure == "months"]
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


def seldom(card: Scorecard, rows: Table, as_of: date) -> Table:
    """Gather honours, deductions, holds and what counts for ever: few rows, so gathering them apart spares the many."""
    live = (rows.from_on <= as_of) & (rows.until_on.isnull() | (rows.until_on > as_of))
    taking = rows.slot >= _first(card, TAKING, as_of)
    rows = rows.filter(taking.ifelse(live, rows.occurred_on <= as_of))
    measures = {"months": _months, "sum": _sum, "count": _count, "best": _best}
    units = {
        f"u_{rule.id}": measures[rule.measure](rule, rows, _mine(card, rows, as_of, rule.kinds))
        for rule in _rules(card, as_of, RARE)
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

"""What counts of everybody's rows, as units: months, sums, counts and first days for each rule, a row a person.

Pure: the half of `scoring.batch.plan` that meets the many rows, so it is written for speed. Rows are cut by kind and
day before anything is joined, what most rows are about is gathered in one pass, and a month is a bit in a word that is
or-ed, since to count distinct values costs an engine more than all the rest. Gives the same integers on every engine.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, cast

import ibis as untyped  # pyright: ignore[reportMissingTypeStubs]  (none are published)

from core.months import shift
from scoring.book.rules import Indicator
from scoring.book.scorecard import Scorecard

Table = Any  # ibis carries no types: its tables and columns are Any here and nowhere above this room
Column = Any
ibis = cast("Any", untyped)

SLOTS = {"kind": "string", "slot": "int8", "after": "date", "word": "int8", "first": "int64"}

_MONTHS_A_YEAR = 12
_BITS = 63  # of an int64 that stays positive
_SHIFT = 30  # the furthest that every engine shifts a bit: Polars computes powers of two in 32 bits


def slotted(card: Scorecard, as_of: date) -> list[tuple[str, int, date, int, int]]:
    """Give each kind that counts, its slot, the day after which its rows count (`evaluate._Sorter`), word and bit.

    Word and bit say where the rule keeps its months; -1 and 0 for what is kept otherwise.
    """
    strips = {rule: (word, 1 << first) for rule, (word, first) in _strips(card).items()}
    windows = [(rule.kinds, rule.window_months, strips.get(rule.id, (-1, 0))) for rule in _measured(card)]
    windows += [((rule.kind,), rule.hard_stop_months, (-1, 0)) for rule in card.deductions]
    windows += [((rule.kind,), 0, (-1, 0)) for rule in card.holds]
    return [
        (kind, slot, shift(as_of, -window) if window else date.min, *strip)
        for slot, (kinds, window, strip) in enumerate(windows)
        for kind in kinds
    ]


def _measured(card: Scorecard) -> list[Indicator]:
    """Give the indicators that count rows of their own; clean years look at the deductions'."""
    return [rule for rule in card.indicators() if rule.measure != "clean_years"]


def _frequent(card: Scorecard) -> list[Indicator]:
    """Give the rules that most rows are about: those with a short window, whose months fit a word."""
    return [rule for rule in _measured(card) if rule.measure != "best" and 0 < rule.window_months <= _SHIFT]


def _strips(card: Scorecard) -> dict[str, tuple[int, int]]:
    """Lay the months of each frequent rule beside each other into words, a bit a month: word and first bit by rule."""
    found: dict[str, tuple[int, int]] = {}
    filled: list[int] = []
    for rule in sorted(_frequent(card), key=lambda rule: -rule.window_months):
        if rule.measure == "months":
            width = rule.window_months + 1  # a window begins and ends inside a month
            word = next((number for number, used in enumerate(filled) if used + width <= _BITS), len(filled))
            filled += [0] * (word == len(filled))
            found[rule.id] = (word, filled[word])
            filled[word] += width
    return found


def _counting(rows: Table, adults: Table, slots: Table, kinds: Iterable[str], *counts: Column) -> Table:
    """Keep the rows of some kinds that count: by what is said of them, in the window of their slot, not before 18."""
    rows = rows.filter(rows.kind.isin(sorted(kinds)), *counts).inner_join(slots, "kind")
    rows = rows.filter(rows.occurred_on > rows.after).inner_join(adults, "subject")
    return rows.filter(rows.occurred_on >= rows.adult_on)


def often(card: Scorecard, active: Table, adults: Table, slots: Table, as_of: date) -> Table:
    """Gather for each person what most rows are about: the months of each rule as bits, sums and counts."""
    rules = _frequent(card)
    longest = max((rule.window_months for rule in rules), default=0)
    lately = (active.occurred_on > shift(as_of, -longest), active.occurred_on <= as_of)
    rows = _counting(active, adults, slots, (kind for rule in rules for kind in rule.kinds), *lately)
    back = (as_of.year * _MONTHS_A_YEAR + as_of.month) - _month(rows)
    rows = rows.mutate(bit=(ibis.literal(1, "int64") << back) * rows.first)
    words = sorted({word for word, _ in _strips(card).values()})
    units = {f"w_{word}": (rows.word == word).ifelse(rows.bit, 0).bit_or() for word in words}
    for rule in rules:
        if rule.measure != "months":
            amount = rows.quantity if rule.measure == "sum" else 1
            units[f"u_{rule.id}"] = _mine(card, rows, rule.kinds).ifelse(amount, 0).sum()
    return rows.group_by("subject").aggregate(**units)


def counted(card: Scorecard, people: Table) -> Table:
    """Count the months of each rule in its word: the bits of an integer, by halves (Hacker's Delight, 5-1)."""
    strips = {rule.id: (*_strips(card)[rule.id], rule.window_months + 1) for rule in _frequent(card)
              if rule.measure == "months"}  # fmt: skip
    names = {rule: f"u_{rule}" for rule in strips}
    people = people.mutate(
        **{
            names[rule]: _down(whole(people[f"w_{word}"]), first) & ((1 << width) - 1)
            for rule, (word, first, width) in strips.items()
        }
    )
    for halve in _HALVINGS:
        people = people.mutate(**{name: halve(people[name]) for name in names.values()})
    return people


def _down(bits: Column, by: int) -> Column:
    """Shift to the right, no further at once than every engine can."""
    while by > _SHIFT:
        bits, by = bits >> _SHIFT, by - _SHIFT
    return bits >> by


_HALVINGS: tuple[Callable[[Column], Column], ...] = (
    lambda bits: bits - ((bits >> 1) & 0x5555555555555555),
    lambda bits: (bits & 0x3333333333333333) + ((bits >> 2) & 0x3333333333333333),
    lambda bits: (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F,
    lambda bits: bits + (bits >> 8),
    lambda bits: bits + (bits >> 16),
    lambda bits: (bits + _down(bits, 32)) & 0x7F,
)


def seldom(card: Scorecard, active: Table, adults: Table, slots: Table, as_of: date) -> Table:
    """Gather honours, deductions, holds and what counts for ever: few rows, so gathering them apart spares the many."""
    frequent = _frequent(card)
    rules = [rule for rule in _measured(card) if rule not in frequent]
    taken = (*card.deductions, *card.holds)
    past = active.occurred_on <= as_of
    live = (active.from_on <= as_of) & (active.until_on.isnull() | (active.until_on > as_of))
    lost = sorted(one.kind for one in taken)
    kinds = {*lost, *(kind for rule in rules for kind in rule.kinds)}
    rows = _counting(active, adults, slots, kinds, active.kind.isin(lost).ifelse(live, past))
    measures = {"months": _months, "sum": _sum, "count": _count, "best": _best}
    units = {f"u_{rule.id}": measures[rule.measure](rule, rows, _mine(card, rows, rule.kinds)) for rule in rules}
    clean = [rule for rule in card.indicators() if rule.measure == "clean_years"]
    units |= {f"u_{rule.id}": rows.from_on.min(where=_mine(card, rows, rule.kinds)) for rule in clean}
    units |= {f"u_{one.id}": rows.count(where=_mine(card, rows, [one.kind])) for one in taken}
    return rows.group_by("subject").aggregate(**units)


def whole(unit: Column) -> Column:
    """The unit as a number; whoever has none has 0."""
    return unit.cast("int64").fill_null(0)


def _mine(card: Scorecard, rows: Table, kinds: Iterable[str]) -> Column:
    """Say of each row whether it is in a slot of these kinds."""
    slots = {kind: slot for kind, slot, *_ in slotted(card, card.valid_from)}
    return rows.slot.isin(sorted({slots[kind] for kind in kinds}))


def _month(rows: Table) -> Column:
    """Number the calendar months."""
    return rows.occurred_on.year().cast("int64") * _MONTHS_A_YEAR + rows.occurred_on.month()


def _months(_rule: Indicator, rows: Table, mine: Column) -> Column:
    """Distinct calendar months with at least one row."""
    return _month(rows).nunique(where=mine)


def _sum(_rule: Indicator, rows: Table, mine: Column) -> Column:
    """Quantities added."""
    return rows.quantity.sum(where=mine)


def _count(_rule: Indicator, rows: Table, mine: Column) -> Column:
    """Rows counted."""
    return rows.count(where=mine)


def _best(rule: Indicator, rows: Table, mine: Column) -> Column:
    """Tenths of the highest level."""
    return rows.level.cases(*[(level.level, level.points) for level in rule.levels], else_=0).max(where=mine)

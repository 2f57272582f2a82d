"""A scorecard as one query over the records of everybody: the second evaluator, for the whole city at once.

Pure: it builds an expression and runs nothing; `scoring.batch.engines` runs it. Function by function it mirrors
`scoring.points.evaluate` and `scoring.points.measures`, from the same `Scorecard`, and gives the same integers on every
engine, because it asks of them only what they all do alike: integers of 64 bits, no division, no rounding, no float,
every cut-off a date that was computed here, and everybody from the register, with records or without. It gives no
trace: reasons and rows are the evaluator's.

Rows are those of `scoring.points.facts`: one per month, kind and provider, per day, per record or per interval.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from functools import reduce
from operator import add
from typing import Any, cast

import ibis as untyped  # pyright: ignore[reportMissingTypeStubs]  (none are published)

from core.months import shift
from scoring.book.rules import Dimension, Indicator
from scoring.book.scorecard import Scorecard

Table = Any  # ibis carries no types: its tables and columns are Any here and nowhere above this room
Column = Any
ibis = cast("Any", untyped)

RECORDS = {
    "subject": "int64",
    "kind": "string",
    "provider": "string",
    "occurred_on": "date",
    "quantity": "int64",
    "level": "int16",
    "from_on": "date",
    "until_on": "date",
    "status": "string",
    "severity": "string",
}
REGISTER = {"subject": "int64", "adult_on": "date"}
SLOTS = {"kind": "string", "slot": "int8", "after": "date"}

_MONTHS_A_YEAR, _DAYS_A_YEAR = 12, 365


def build(card: Scorecard, records: Table, register: Table, slots: Table, as_of: date) -> Table:
    """Build the query that gives each adult of the register one row, in the columns of `columns`.

    The tables have the schemas above; a subject stands in the register once; `slots` holds what `slotted` gives.
    """
    adults = register.filter(register.adult_on <= as_of)
    rows = _counting(card, records.filter(records.status == "active"), adults, slots, as_of)
    everyone = adults.drop("adult_on")
    for units in (_often(card, rows), _seldom(card, rows)):
        everyone = everyone.left_join(units, "subject").drop("subject_right")
    points = everyone.select("subject", held=_held(card, everyone), **_points(card, everyone, as_of))
    sums = points.mutate(**{f"d_{one.id}": _dimension(one, points) for one in card.dimensions})
    total = sums.mutate(points_tenths=_total(card, sums))
    shown = total.mutate(tier=_tier(card, total))
    return shown.select(**{name: shown[name].cast(kind) for name, kind in columns(card).items()})


def columns(card: Scorecard) -> dict[str, str]:
    """Give names and types of the result, in their order: those of `Evaluation.columns`, behind the subject."""
    numbers = [f"i_{rule.id}" for rule in card.indicators()]
    numbers += [f"d_{dimension.id}" for dimension in card.dimensions]
    numbers += [f"n_{rule.id}" for rule in card.deductions]
    first = {"subject": "int64", "points_tenths": "int32", "tier": "string", "held": "boolean"}
    return first | dict.fromkeys(numbers, "int32")


def slotted(card: Scorecard, as_of: date) -> list[tuple[str, int, date]]:
    """Give each kind that counts, the slot of its rule, and the day after which its rows count (`evaluate._Sorter`)."""
    windows = [(rule.kinds, rule.window_months) for rule in _measured(card)]
    windows += [((rule.kind,), rule.hard_stop_months) for rule in card.deductions]
    windows += [((rule.kind,), 0) for rule in card.holds]
    return [
        (kind, slot, shift(as_of, -window) if window else date.min)
        for slot, (kinds, window) in enumerate(windows)
        for kind in kinds
    ]


def _measured(card: Scorecard) -> list[Indicator]:
    """Give the indicators that count rows of their own; clean years look at the deductions'."""
    return [rule for rule in card.indicators() if rule.measure != "clean_years"]


def _counting(card: Scorecard, active: Table, adults: Table, slots: Table, as_of: date) -> Table:
    """Keep the rows that count on the day: in the window, or in an interval that holds it, and never before 18."""
    rows = active.inner_join(slots, "kind")
    past = rows.occurred_on <= as_of
    live = (rows.from_on <= as_of) & (rows.until_on.isnull() | (rows.until_on > as_of))
    rows = rows.filter(rows.occurred_on > rows.after, (rows.slot < len(_measured(card))).ifelse(past, live))
    rows = rows.inner_join(adults, "subject")
    return rows.filter(rows.occurred_on >= rows.adult_on)


def _often(card: Scorecard, rows: Table) -> Table:
    """Count for each person what most rows are about: months, sums and counts."""
    measures = {"months": _months, "sum": _sum, "count": _count}
    rules = [rule for rule in card.indicators() if rule.measure in measures]
    units = {f"u_{rule.id}": measures[rule.measure](rows, _mine(card, rows, rule.kinds)) for rule in rules}
    return rows.group_by("subject").aggregate(**units)


def _seldom(card: Scorecard, rows: Table) -> Table:
    """Count honours, deductions and holds: few rows hold them, so gathering them apart spares the many others."""
    honours = [rule for rule in card.indicators() if rule.measure == "best"]
    taken = (*card.deductions, *card.holds)
    few = rows.filter(
        _mine(card, rows, [*(kind for rule in honours for kind in rule.kinds), *(one.kind for one in taken)])
    )
    units = {f"u_{rule.id}": _best(rule, few, _mine(card, few, rule.kinds)) for rule in honours}
    clean = [rule for rule in card.indicators() if rule.measure == "clean_years"]
    units |= {f"u_{rule.id}": _first_day(few, _mine(card, few, rule.kinds)) for rule in clean}
    units |= {f"u_{one.id}": _count(few, _mine(card, few, [one.kind])) for one in taken}
    return few.group_by("subject").aggregate(**units)


def _mine(card: Scorecard, rows: Table, kinds: Iterable[str]) -> Column:
    """Say of each row whether it is in a slot of these kinds."""
    slots = {kind: slot for kind, slot, _ in slotted(card, card.valid_from)}
    return rows.slot.isin(sorted({slots[kind] for kind in kinds}))


def _months(rows: Table, mine: Column) -> Column:
    """Distinct calendar months with at least one row."""
    month = rows.occurred_on.year().cast("int64") * _MONTHS_A_YEAR + rows.occurred_on.month()
    return month.nunique(where=mine)


def _sum(rows: Table, mine: Column) -> Column:
    """Quantities added."""
    return rows.quantity.sum(where=mine)


def _count(rows: Table, mine: Column) -> Column:
    """Rows counted."""
    return rows.count(where=mine)


def _best(rule: Indicator, rows: Table, mine: Column) -> Column:
    """Tenths of the highest level."""
    return rows.level.cases(*[(level.level, level.points) for level in rule.levels], else_=0).max(where=mine)


def _first_day(rows: Table, mine: Column) -> Column:
    """First day of all that still counts: clean years end where it lies."""
    return rows.from_on.min(where=mine)


def _points(card: Scorecard, units: Table, as_of: date) -> dict[str, Column]:
    """Make tenths of units, each under its own cap; whoever has none of a unit has none."""
    found: dict[str, Column] = {}
    for rule in card.indicators():
        if rule.measure == "clean_years":
            amount = _untouched(units[f"u_{rule.id}"], rule.years, as_of) * rule.points
        else:
            amount = _whole(units[f"u_{rule.id}"]) * (1 if rule.measure == "best" else rule.points)
        found[f"i_{rule.id}"] = ibis.least(amount, rule.cap)
    for rule in card.deductions:
        found[f"n_{rule.id}"] = ibis.least(_whole(units[f"u_{rule.id}"]) * rule.points, rule.cap)
    return found


def _whole(unit: Column) -> Column:
    return unit.cast("int64").fill_null(0)


def _untouched(first: Column, years: int, as_of: date) -> Column:
    """Periods of 365 days ending on `as_of`, without those that a day since `first` falls into."""
    ends = [as_of - timedelta(days=_DAYS_A_YEAR * back) for back in range(years)]
    touched = [(first <= end).ifelse(1, 0).cast("int64") for end in ends]
    return years - _sum_of(touched)


def _held(card: Scorecard, units: Table) -> Column:
    return _sum_of(_whole(units[f"u_{hold.id}"]) for hold in card.holds) > 0


def _dimension(dimension: Dimension, points: Table) -> Column:
    return ibis.least(_sum_of(points[f"i_{rule.id}"] for rule in dimension.indicators if rule.enabled), dimension.cap)


def _total(card: Scorecard, points: Table) -> Column:
    gained = _sum_of(points[f"d_{dimension.id}"] for dimension in card.dimensions)
    lost = ibis.least(_sum_of(points[f"n_{rule.id}"] for rule in card.deductions), card.deduction_cap)
    return ibis.greatest(ibis.least(gained - lost + card.base, card.high), card.low)


def _tier(card: Scorecard, whole: Table) -> Column:
    """Give the highest tier that the points reach, the lowest while held."""
    lowest, *higher = card.tiers
    reached = [(whole.points_tenths >= tier.start, tier.name) for tier in reversed(higher)]
    return ibis.cases((whole.held, lowest.name), *reached, else_=lowest.name)


def _sum_of(values: Iterable[Column]) -> Column:
    return reduce(add, values, ibis.literal(0, "int64"))

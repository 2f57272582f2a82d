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

from scoring.batch.gather import Column, Table, ibis, whole
from scoring.book.rules import Dimension
from scoring.book.scorecard import Scorecard

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

_DAYS_A_YEAR = 365


def build(card: Scorecard, units: Table, as_of: date) -> Table:
    """Build the query that gives each adult of the register one row, in the columns of `columns`.

    `units` (`slots.units`) are what was gathered of the records that count; a subject stands in the register once.
    """
    points = units.select("subject", held=_held(card, units), **_points(card, units, as_of))
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


def _points(card: Scorecard, units: Table, as_of: date) -> dict[str, Column]:
    """Make tenths of units, each under its own cap; whoever has none of a unit has none."""
    found: dict[str, Column] = {}
    for rule in card.indicators():
        if rule.measure == "clean_years":
            amount = _untouched(units[f"u_{rule.id}"], rule.years, as_of) * rule.points
        else:
            amount = whole(units[f"u_{rule.id}"]) * (1 if rule.measure == "best" else rule.points)
        found[f"i_{rule.id}"] = ibis.least(amount, rule.cap)
    for rule in card.deductions:
        found[f"n_{rule.id}"] = ibis.least(whole(units[f"u_{rule.id}"]) * rule.points, rule.cap)
    return found


def _untouched(first: Column, years: int, as_of: date) -> Column:
    """Periods of 365 days ending on `as_of`, without those that a day since `first` falls into."""
    ends = [as_of - timedelta(days=_DAYS_A_YEAR * back) for back in range(years)]
    touched = [(first <= end).ifelse(1, 0).cast("int64") for end in ends]
    return years - _sum_of(touched)


def _held(card: Scorecard, units: Table) -> Column:
    return _sum_of(whole(units[f"u_{hold.id}"]) for hold in card.holds) > 0


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

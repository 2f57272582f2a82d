"""The five measures and the deduction, as closures over one rule of a scorecard.

Pure, integers and dates only. Each returns a `Trace`: tenths after the rule's own cap, the units counted, and the first
day on which the points are lower if nothing new comes (for a deduction: on which it is less). Callers have already kept
only the rows that count on `as_of`.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from core.months import leaves, number
from scoring.book.rules import Deduction, Indicator
from scoring.points.facts import Fact

Trace = tuple[int, int, date | None]
Measure = Callable[[Sequence[Fact], date], Trace]

_DAYS_A_YEAR = 365
_NEVER = date.max


def measure(rule: Indicator) -> Measure:
    """Build the measure of an indicator; it is called with at least one row; `clean_years` also with none."""
    makers = {"months": _months, "sum": _sum, "count": _count, "best": _best, "clean_years": _clean_years}
    return makers[rule.measure](rule)


def _months(rule: Indicator) -> Measure:
    """Distinct calendar months with at least one row: what can be repeated at will counts once a month."""
    each, cap, window = rule.points, rule.cap, rule.window_months
    full = -(-cap // each)

    def run(rows: Sequence[Fact], as_of: date) -> Trace:  # noqa: ARG001  every measure is called alike
        last = {number(day): day for day in sorted([row.occurred_on for row in rows])}
        count = len(last)
        if count <= full:
            points, oldest = count * each, next(iter(last.values()))
        else:
            points, oldest = cap, list(last.values())[count - full]
        return min(cap, points), count, leaves(oldest, window) if window else None

    return run


def _sum(rule: Indicator) -> Measure:
    """Quantities added."""
    return _added(rule, lambda rows: [row.quantity for row in rows])


def _count(rule: Indicator) -> Measure:
    """Rows counted."""
    return _added(rule, lambda rows: [1] * len(rows))


def _added(rule: Indicator, units: Callable[[Sequence[Fact]], list[int]]) -> Measure:
    each, cap, window = rule.points, rule.cap, rule.window_months

    def run(rows: Sequence[Fact], as_of: date) -> Trace:  # noqa: ARG001  every measure is called alike
        amounts = units(rows)
        total = sum(amounts)
        points = min(cap, total * each)
        left = total
        for day, amount in sorted(zip([row.occurred_on for row in rows], amounts, strict=True)):
            left -= amount
            if left * each < points:
                return points, total, leaves(day, window) if window else None
        return points, total, None

    return run


def _best(rule: Indicator) -> Measure:
    """Highest level in the window, never the latest, so that one more honour can only help."""
    table = {level.level: level.points for level in rule.levels}
    cap, window = rule.cap, rule.window_months

    def run(rows: Sequence[Fact], as_of: date) -> Trace:  # noqa: ARG001  every measure is called alike
        points, level = max([(table.get(row.level or 0, 0), row.level or 0) for row in rows])
        if points == 0:
            return 0, 0, None
        last = max([row.occurred_on for row in rows if table.get(row.level or 0, 0) == points])
        return min(cap, points), level, leaves(last, window) if window else None

    return run


def _clean_years(rule: Indicator) -> Measure:
    """Periods of 365 days ending on `as_of` that hold no day of a deduction which still counts."""
    each, cap, years = rule.points, rule.cap, rule.years

    def run(rows: Sequence[Fact], as_of: date) -> Trace:
        starts = [row.from_on or as_of for row in rows]
        touched = min(years, (as_of - min(starts)).days // _DAYS_A_YEAR + 1) if starts else 0
        points = min(cap, (years - touched) * each)
        more = timedelta(days=_DAYS_A_YEAR * touched)
        again = [start + more for start in starts] if points else []
        worse = [day for day, row in zip(again, rows, strict=False) if day < (row.until_on or _NEVER)]
        return points, years - touched, min(worse, default=None)

    return run


def deduct(rule: Deduction) -> Measure:
    """So many tenths for every live row, up to the cap."""
    each, cap, stop = rule.points, rule.cap, rule.hard_stop_months

    def run(rows: Sequence[Fact], as_of: date) -> Trace:  # noqa: ARG001  every measure is called alike
        points = min(cap, len(rows) * each)
        ends = sorted([_over(row, stop) for row in rows])
        less = ends[len(rows) - -(-points // each)]
        return points, len(rows), None if less == _NEVER else less

    return run


def _over(row: Fact, stop: int) -> date:
    until = row.until_on or _NEVER
    return min(until, leaves(row.occurred_on, stop)) if stop else until

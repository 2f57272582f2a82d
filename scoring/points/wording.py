"""Numbers and rules in words: tenths as decimals, windows as years, templates filled.

Pure. The words themselves stand in the scorecard; a template knows a closed set of placeholders, checked at loading.
"""

from datetime import date

from scoring.book.rules import Deduction, Indicator
from scoring.points.evaluate import IndicatorTrace

_YEAR = 12
_IN_YEARS_FROM = 36


def shown(tenths: int) -> float:
    """Give tenths as a decimal with one digit; the nearest binary fraction prints exactly so."""
    return tenths / 10


def window(months: int) -> str:
    """Name a window in Chinese: months up to two years, then years."""
    if not months:
        return "历年"
    return f"{months // _YEAR}年" if months >= _IN_YEARS_FROM and months % _YEAR == 0 else f"{months}个月"


def level_name(rule: Indicator, level: int) -> str:
    """Name a level as the scorecard does, empty when it has no such level."""
    return next((one.name for one in rule.levels if one.level == level), "")


def fill(template: str, rule: Indicator | Deduction, points: int, value: int) -> str:
    """Fill a rule's template with what was counted."""
    positive = isinstance(rule, Indicator)
    return template.format(
        window=window(rule.window_months) if positive else "",
        level=level_name(rule, value) if positive else "",
        value=value,
        each=f"{shown(rule.points):g}",
        points=f"{shown(points):g}",
        cap=f"{shown(rule.cap):g}",
    )


def limits(rule: Deduction) -> str:
    """Say how long a deduction can count, each limit with the day from which it runs; empty when none is stated."""
    said: list[str] = []
    if rule.display_months:
        said.append(f"自文书生效之日起最多显示{window(rule.display_months)}，期满不再扣分")
    if rule.hard_stop_months:
        said.append(f"任何情况下不超过行为之日起{window(rule.hard_stop_months)}")
    return "；".join(said)


def clean_next(trace: IndicatorTrace) -> date | None:
    """Give the first day on which a deduction behind lost clean years stops, None when none is known to."""
    return min((fact.until_on for fact in trace.facts if fact.until_on is not None), default=None)

"""What a person can do for more points, unit by unit: as rows to count, in words, and how much of it there is.

Pure. A unit is a month in which something is kept, or an hour of something done, at its natural pace: a month each
month from the next one on, up to eight hours on one day of each week from tomorrow on: what somebody with work and
family can do, not what the rules would still count.
"""

from datetime import date, timedelta

from core.months import first, shift
from scoring.book.rules import Effort, Indicator
from scoring.points.facts import HOURS_A_DAY, Fact

TWO_YEARS = 24
_WEEK = 7


def future(rule: Indicator, effort: Effort, units: int, as_of: date) -> list[Fact]:
    """Make the rows of so many units at their natural pace, beginning tomorrow or next month."""
    if effort.pace == "month":
        days = [(shift(first(as_of), ahead), 1) for ahead in range(1, units + 1)]
    else:
        full, rest = divmod(units, HOURS_A_DAY)
        hours = [HOURS_A_DAY] * full + ([rest] if rest else [])
        days = [(as_of + timedelta(days=1 + _WEEK * week), part) for week, part in enumerate(hours)]
    return [Fact(rule.kinds[0], "", day, part, None, None, None, None, "active", ()) for day, part in days]


def whole(rule: Indicator, effort: Effort) -> int:
    """Give the units that fill an indicator from nothing, as many as its window holds at their pace."""
    units = -(-rule.cap // rule.points)
    return min(units, rule.window_months or TWO_YEARS) if effort.pace == "month" else units


def amount(effort: Effort, units: int) -> str:
    """Say how much: 3个月, 20小时."""
    return f"{units}个月" if effort.pace == "month" else f"{units}小时"

"""Calendar months: the one place that knows what happens to the 31st and to 29 February.

Promises exact civil dates and nothing else; it reads no clock. The caches hold dates alone: a city's windows touch the
same few thousand days for everybody.
"""

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

_MONTHS_A_YEAR = 12


@lru_cache(maxsize=8192)
def first(day: date) -> date:
    """Give the first day of the month that holds `day`."""
    return day.replace(day=1)


@lru_cache(maxsize=8192)
def number(day: date) -> int:
    """Give the number of the month that holds `day`; neighbouring months have neighbouring numbers."""
    return day.year * _MONTHS_A_YEAR + day.month


@lru_cache(maxsize=8192)
def shift(day: date, months: int) -> date:
    """Move `day` by whole calendar months, back when negative, its day clamped to the end of the month reached."""
    year, month = divmod(day.year * _MONTHS_A_YEAR + day.month - 1 + months, _MONTHS_A_YEAR)
    month += 1
    last = day.day if day.day <= 28 else min(day.day, monthrange(year, month)[1])  # noqa: PLR2004  every month has 28
    return date(year, month, last)


@lru_cache(maxsize=8192)
def leaves(day: date, months: int) -> date:
    """Give the first day `t` on which `day` is outside the window of `months` that ends on `t`.

    The window is `shift(t, -months) < day <= t`; a 29 February stays in it one day longer than its clamped anniversary.
    """
    last = shift(day, months)
    return last if shift(last, -months) >= day else last + timedelta(days=1)

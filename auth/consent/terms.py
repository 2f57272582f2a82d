"""The terms of a consent: who may give it, and how long it may live, by the civil calendar.

18 and over (domain rule 13; SH 2, SZX 2, ZJ 2); at most twelve months (国办发〔2020〕49号: no consent for life).
"""

from datetime import UTC, date, datetime, time, timedelta

from core import clock, months
from core.errors import FieldError, Forbidden, Invalid

ADULT_AGE = 18
LONGEST_MONTHS = 12


class Minor(Forbidden):
    """Points are for people of 18 and over."""

    code = "minor"
    title = "Only for people of 18 and over"


def adult_on(birth_date: date) -> date:
    """The 18th birthday; born on 29 February, in a common year the 28th (Civil Code 202: the month's last day)."""
    return months.shift(birth_date, ADULT_AGE * 12)


def must_be_adult(birth_date: date) -> None:
    """Raise Minor before the 18th birthday."""
    if clock.today() < adult_on(birth_date):
        detail = "桂花分只面向年满18周岁的市民；满18周岁后可以自愿申请。"
        raise Minor(detail)


def latest_expiry(today: date) -> date:
    """The last day that a consent given today may live: the same day twelve months later."""
    return months.shift(today, LONGEST_MONTHS)


def last_day(expires_at: datetime) -> date:
    """The last civil day on which a consent lives."""
    return clock.day_of(expires_at - timedelta(seconds=1))


def _instant_after(day: date) -> datetime:
    """The instant at which `day` is over in the city."""
    return datetime.combine(day + timedelta(days=1), time(), clock.CITY_ZONE).astimezone(UTC)


def expiry(expires_on: date) -> datetime:
    """The instant after which a consent that lives up to and including `expires_on` is dead. Raises Invalid."""
    today = clock.today()
    if not today < expires_on <= latest_expiry(today):
        detail = f"A consent lives at least one day and at most {LONGEST_MONTHS} months."
        advice = f"Choose a day after {today} and not after {latest_expiry(today)}."
        raise Invalid(detail, errors=[FieldError("/expires_on", "out_of_range", advice)])
    return _instant_after(expires_on)

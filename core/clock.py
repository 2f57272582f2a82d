"""The two clocks, and the only place that tells the time.

`wall()` serves protocols: token lives, proofs, retries. `civil()` serves people's rights: windows, consent expiry,
deadlines. Only `civil` can be moved, only forwards, and only by an assembly that says it is a sandbox; the database
has the same clock as `core.civil_now()` and both read the one stored offset.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

CITY_ZONE = ZoneInfo("Asia/Shanghai")

_offset = timedelta(0)


def wall() -> datetime:
    """Now, as an aware UTC instant, for protocol time."""
    return datetime.now(UTC)


def civil() -> datetime:
    """Now, as an aware UTC instant, for windows, rights and expiry."""
    return datetime.now(UTC) + _offset


def today() -> date:
    """The civil calendar day in the city's zone."""
    return civil().astimezone(CITY_ZONE).date()


def day_of(instant: datetime) -> date:
    """The calendar day of an aware instant in the city's zone."""
    return instant.astimezone(CITY_ZONE).date()


def offset() -> timedelta:
    """How far this process's civil clock was moved."""
    return _offset


def move(offset: timedelta) -> None:
    """Set the civil offset of this process, as read from `core.civil_offset`; never negative."""
    global _offset  # noqa: PLW0603  (one process, one civil clock)
    if offset < timedelta(0):
        message = "the civil clock only moves forwards"
        raise ValueError(message)
    _offset = offset

"""Quarters of the civil year in the city's zone. Pure."""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

import msgspec

_NAMED = re.compile(r"(20[0-9]{2})-Q([1-4])")


class Quarter(msgspec.Struct, frozen=True, order=True):
    """A quarter: `number` 1 to 4."""

    year: int
    number: int

    @property
    def name(self) -> str:
        """2026-Q4."""
        return f"{self.year}-Q{self.number}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - timedelta(days=1)

    @property
    def next(self) -> "Quarter":
        """The one after it."""
        return Quarter(self.year + self.number // 4, self.number % 4 + 1)

    def instants(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """Its first instant, and the first after it."""
        begin, end = (datetime.combine(day, datetime.min.time(), zone) for day in (self.first, self.next.first))
        return begin.astimezone(UTC), end.astimezone(UTC)


def read(text: str) -> Quarter | None:
    """The quarter of a name like 2026-Q4."""
    named = _NAMED.fullmatch(text)
    return Quarter(int(named[1]), int(named[2])) if named else None


def over(today: date) -> Quarter:
    """The latest quarter that is over on a day."""
    running = Quarter(today.year, (today.month + 2) // 3)
    return Quarter(running.year - (running.number == 1), (running.number + 2) % 4 + 1)

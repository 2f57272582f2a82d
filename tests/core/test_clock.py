"""Two clocks: one for protocols, one for people's rights."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from core import clock


@pytest.fixture(autouse=True)
def _back() -> Iterator[None]:
    """Put the civil clock back."""
    yield
    clock.move(timedelta(0))


class TestMove:
    """The sandbox's civil clock."""

    def test_only_the_civil_clock_moves(self) -> None:
        """Protocol time stands where it is, or every proof would be stale."""
        clock.move(timedelta(days=30))
        assert timedelta(days=29) < clock.civil() - clock.wall() < timedelta(days=31)

    def test_it_moves_forwards_only(self) -> None:
        """Nobody gets an expired consent back by turning the clock."""
        with pytest.raises(ValueError, match="forwards"):
            clock.move(timedelta(seconds=-1))


class TestDayOf:
    """Civil days are the city's."""

    def test_the_day_changes_at_midnight_in_the_city(self) -> None:
        """16:00 UTC is the next day in Shanghai."""
        assert clock.day_of(datetime(2026, 11, 21, 15, 59, tzinfo=UTC)) == date(2026, 11, 21)
        assert clock.day_of(datetime(2026, 11, 21, 16, 0, tzinfo=UTC)) == date(2026, 11, 22)

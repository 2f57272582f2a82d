"""Calendar months."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import months

DAYS = st.dates(date(1950, 1, 1), date(2100, 12, 31))


class TestShift:
    """`months.shift`."""

    @pytest.mark.parametrize(
        ("day", "by", "result"),
        [
            (date(2026, 1, 31), 1, date(2026, 2, 28)),
            (date(2024, 1, 31), 1, date(2024, 2, 29)),
            (date(2024, 2, 29), 12, date(2025, 2, 28)),
            (date(2024, 2, 29), 60, date(2029, 2, 28)),
            (date(2026, 1, 15), -1, date(2025, 12, 15)),
            (date(2026, 3, 31), -1, date(2026, 2, 28)),
        ],
    )
    def test_the_day_is_clamped_to_the_month(self, day: date, by: int, result: date) -> None:
        """No month overflows into the next."""
        assert months.shift(day, by) == result


class TestLeaves:
    """`months.leaves`."""

    @given(DAYS, st.integers(1, 120))
    def test_it_is_the_first_day_outside_the_window(self, day: date, window: int) -> None:
        """On that day the window no longer holds it, on the day before it still did."""
        out = months.leaves(day, window)
        before = date.fromordinal(out.toordinal() - 1)
        assert months.shift(out, -window) >= day
        assert months.shift(before, -window) < day


class TestNumber:
    """`months.number` and `months.first`."""

    @given(DAYS)
    def test_neighbours_have_neighbouring_numbers(self, day: date) -> None:
        """One month on is one number more, and a month has one first day."""
        assert months.number(months.shift(day, 1)) == months.number(day) + 1
        assert months.number(months.first(day)) == months.number(day)

"""Quarters of the civil year."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from scoring.reports import quarter
from scoring.reports.quarter import Quarter

DAYS = st.dates(date(2001, 1, 1), date(2099, 12, 31))


class TestQuarter:
    """One quarter."""

    @given(DAYS)
    def test_the_latest_that_is_over_ends_before_the_day_and_the_next_has_begun(self, day: date) -> None:
        """For every day."""
        found = quarter.over(day)
        assert found.last < day
        assert found.next.first <= day <= found.next.last

    @given(st.integers(2001, 2098), st.integers(1, 4))
    def test_quarters_follow_each_other_without_a_gap(self, year: int, number: int) -> None:
        """The day after the last is the next one's first; its name reads back."""
        one = Quarter(year, number)
        assert one.last + timedelta(days=1) == one.next.first
        assert quarter.read(one.name) == one

    def test_it_begins_at_midnight_in_the_city(self) -> None:
        """Q4 2026 begins while it is still 30 September in UTC."""
        begin, end = Quarter(2026, 4).instants(clock.CITY_ZONE)
        assert (begin, end) == (datetime(2026, 9, 30, 16, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC))

    @pytest.mark.parametrize("name", ["2026-Q5", "2026-Q0", "26-Q1", "2026-q1", "2026-Q1 ", ""])
    def test_what_is_no_quarter_is_none(self, name: str) -> None:
        """Nothing else is read."""
        assert quarter.read(name) is None

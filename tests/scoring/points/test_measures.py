"""The measures that the shipped scorecard does not use, and the edges of those that it does."""

from datetime import date

import msgspec
import pytest

from scoring.book.rules import Indicator
from scoring.points.facts import Fact
from scoring.points.measures import measure
from tests.rulebook import card

AS_OF = date(2026, 11, 22)
HOURS = next(rule for rule in card().indicators() if rule.id == "volunteering")


def rule(**changes: object) -> Indicator:
    """Give the shipped rule of hours with changes."""
    return msgspec.structs.replace(HOURS, **changes)


def rows(*days: int, quantity: int = 5) -> list[Fact]:
    """Give rows on days of November 2026."""
    return [Fact("P08", "", date(2026, 11, day), quantity, None, None, None, None, "active", ()) for day in days]


class TestCount:
    """`count`: rows, whatever their quantity."""

    def test_every_row_is_one(self) -> None:
        """Three rows of five hours are three."""
        assert measure(rule(measure="count"))(rows(1, 2, 3), AS_OF) == (6, 3, date(2028, 11, 1))


class TestSum:
    """`sum`: quantities."""

    def test_over_the_cap_the_first_loss_is_the_row_that_brings_it_below(self) -> None:
        """Sixty hours, fifty count: the third row to leave is the first that costs points."""
        found = measure(HOURS)(rows(*range(1, 13)), AS_OF)
        assert found == (100, 60, date(2028, 11, 3))

    @pytest.mark.parametrize(("window", "ends"), [(24, date(2028, 11, 2)), (0, None)])
    def test_without_a_window_nothing_ends(self, window: int, ends: date | None) -> None:
        """What has no window does not lapse."""
        assert measure(rule(window_months=window))(rows(2), AS_OF) == (10, 5, ends)

    def test_nothing_counted_ends_never(self) -> None:
        """A row of zero hours gives nothing and takes nothing away."""
        assert measure(HOURS)(rows(2, quantity=0), AS_OF) == (0, 0, None)


class TestMonths:
    """`months`: distinct calendar months, whatever the days."""

    def test_rows_of_a_month_leave_with_its_last_day(self) -> None:
        """Two days of a month are one month, which stays until the later one has left."""
        found = measure(rule(measure="months"))(rows(3, 9), AS_OF)
        assert found == (2, 1, date(2028, 11, 9))


class TestBest:
    """`best`: the highest level."""

    def test_an_unknown_level_gives_nothing(self) -> None:
        """A level without a row in the table is worth no points."""
        honour = next(rule for rule in card().indicators() if rule.id == "bravery")
        row = Fact("P13", "", AS_OF, 1, 9, None, None, None, "active", ())
        assert measure(honour)([row], AS_OF) == (0, 0, None)

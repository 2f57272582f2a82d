"""From records to rows."""

import random
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from scoring.points.facts import RecordRow, facts
from tests.scoring.records import RECORDS, negative, positive


class TestFacts:
    """`facts.facts`."""

    def test_a_month_has_one_row_for_each_kind_and_provider(self) -> None:
        """Two water bills of one provider in a month make one row that names both records."""
        rows = [positive("P01", date(2026, 10, 3), name="b"), positive("P01", date(2026, 10, 28), name="a")]
        (fact,) = facts(rows)
        assert (fact.occurred_on, fact.quantity, fact.records) == (date(2026, 10, 1), 1, ("a", "b"))

    def test_providers_and_kinds_stay_apart(self) -> None:
        """Another provider or another kind in the same month has its own row."""
        day = date(2026, 10, 3)
        one = positive("P01", day, name="a")
        other = RecordRow("b", "P01", "else", day, 1, None, None, None, None, "active")
        assert len(facts([one, other, positive("P02", day, name="c")])) == 3

    def test_a_day_of_volunteering_is_at_most_eight_hours_over_all_organisations(self) -> None:
        """Five hours here and five there are eight, without a provider."""
        rows = [positive("P08", date(2026, 10, 3), name=name, quantity=5) for name in "ab"]
        (fact,) = facts(rows)
        assert (fact.quantity, fact.provider, fact.records) == (8, "", ("a", "b"))

    def test_the_same_record_twice_adds_no_hours(self) -> None:
        """A record that comes twice counts its hours once."""
        row = positive("P08", date(2026, 10, 3), quantity=3)
        assert facts([row, row])[0].quantity == 3

    def test_honours_have_a_row_each(self) -> None:
        """Two honours on one day are two rows."""
        rows = [positive("P14", date(2026, 10, 3), name=name, level=2) for name in "ab"]
        assert [fact.records for fact in facts(rows)] == [("a",), ("b",)]

    def test_an_interrupted_deduction_has_a_row_for_each_interval(self) -> None:
        """A dispute ends a row and its rejection opens the next, of the same record."""
        rows = [
            negative("N01", date(2026, 1, 1), date(2026, 2, 1), name="x"),
            negative("N01", date(2026, 3, 1), None, name="x", act=date(2026, 1, 1)),
        ]
        assert [(fact.from_on, fact.until_on) for fact in facts(rows)] == [
            (date(2026, 1, 1), date(2026, 2, 1)),
            (date(2026, 3, 1), None),
        ]

    def test_status_is_never_merged(self) -> None:
        """A hidden record does not ride on an active one of the same month."""
        rows = [
            positive("P01", date(2026, 10, 3), name="a", status="hidden"),
            positive("P01", date(2026, 10, 4), name="b"),
        ]
        assert {(fact.status, fact.records) for fact in facts(rows)} == {("hidden", ("a",)), ("active", ("b",))}

    @given(RECORDS, st.randoms(use_true_random=False))
    def test_rows_depend_only_on_the_set_of_records(self, records: list[RecordRow], order: random.Random) -> None:
        """Order and repetition change nothing, not even the order of the rows."""
        shuffled = [*records, *records[: len(records) // 2]]
        order.shuffle(shuffled)
        assert facts(shuffled) == facts(records)

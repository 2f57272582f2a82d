"""What the evaluator promises for every set of records."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.months import shift
from scoring.points.evaluate import Evaluation, NotYetAdult
from scoring.points.facts import RecordRow, facts
from tests.rulebook import card, evaluator
from tests.scoring.records import ADULT, AS_OF, MONTHLY, POSITIVES, RECORDS, deductions, negative, positive

TODAY = st.dates(date(2026, 1, 1), date(2027, 6, 1))


def of(records: list[RecordRow], as_of: date = AS_OF, adult_on: date = ADULT) -> Evaluation:
    """Evaluate records by the shipped scorecard."""
    return evaluator()(facts(records), adult_on, as_of)


class TestInvariants:
    """Sentences that hold for every citizen."""

    def test_a_clean_adult_with_nothing_has_110_and_bronze(self) -> None:
        """Perks begin on day one."""
        found = of([])
        assert (found.points, found.tier, found.held) == (1100, "铜", False)

    @given(RECORDS, TODAY, st.randoms(use_true_random=False))
    def test_only_the_set_of_records_matters(self, records: list[RecordRow], day: date, order: random.Random) -> None:
        """Order, repetition and batches change nothing."""
        mixed = [*records, *records[:5]]
        order.shuffle(mixed)
        assert of(mixed, day) == of(records, day)

    @given(RECORDS, TODAY)
    def test_the_order_of_the_rows_does_not_matter(self, records: list[RecordRow], day: date) -> None:
        """The evaluator itself gives the same numbers for rows in any order."""
        rows = facts(records)
        assert evaluator()(rows[::-1], ADULT, day).columns() == evaluator()(rows, ADULT, day).columns()

    @given(RECORDS, TODAY)
    def test_points_stay_inside_the_scale_and_add_up(self, records: list[RecordRow], day: date) -> None:
        """0 <= points <= 200, and the parts make the whole."""
        found = of(records, day)
        assert 0 <= found.points <= 2000
        lost = min(600, sum(one.points for one in found.deductions))
        assert found.raw == 1000 + sum(one.points for one in found.dimensions) - lost
        for dimension in found.dimensions:
            assert dimension.points == min(dimension.cap, sum(one.points for one in dimension.indicators))
            assert all(0 <= one.points <= one.cap for one in dimension.indicators)

    @given(RECORDS, POSITIVES, TODAY)
    def test_a_positive_never_lowers(self, records: list[RecordRow], more: RecordRow, day: date) -> None:
        """One more positive record can only help, whatever it is."""
        assert of([*records, more], day).points >= of(records, day).points

    @given(RECORDS, deductions(), TODAY)
    def test_what_is_not_active_never_counts(self, records: list[RecordRow], one: RecordRow, day: date) -> None:
        """A deduction that is disputed, repaired, revoked or over changes nothing."""
        over = one.until_on is not None and one.until_on <= day
        old = shift(day, -60) >= one.occurred_on and one.kind not in {"N03", "N05"}
        if one.status != "active" or over or old or one.occurred_on < ADULT:
            assert of([*records, one], day).columns() == of(records, day).columns()

    @given(RECORDS, POSITIVES, TODAY, st.sampled_from(["hidden", "revoked"]))
    def test_a_hidden_positive_never_counts(
        self, records: list[RecordRow], one: RecordRow, day: date, status: str
    ) -> None:
        """Hiding is as if the record were not there."""
        hidden = RecordRow(one.id, one.kind, "x", one.occurred_on, one.quantity, one.level, None, None, None, status)
        assert of([*records, hidden], day).columns() == of(records, day).columns()

    @pytest.mark.parametrize("kind", [*MONTHLY, "P08"])
    def test_ten_thousand_repeats_in_a_day_move_by_one_month_at_most(self, kind: str) -> None:
        """What can be repeated at will counts once a month; hours, eight a day."""
        rows = [positive(kind, AS_OF, name=f"r{number}", quantity=8) for number in range(10_000)]
        rule = next(one for one in card().indicators() if kind in one.kinds)
        assert of(rows).points - 1100 == (8 * rule.points if kind == "P08" else rule.points)

    @given(RECORDS, TODAY)
    def test_the_trace_is_the_evaluation(self, records: list[RecordRow], day: date) -> None:
        """The rows in the trace alone give the same evaluation again."""
        found = of(records, day)
        assert evaluator()(found.facts(), ADULT, day).columns() == found.columns()

    @given(st.lists(POSITIVES, max_size=25), TODAY)
    def test_points_fall_on_the_day_that_was_told_and_not_before(self, records: list[RecordRow], day: date) -> None:
        """`ends_on` is the first day on which an indicator gives less, if nothing new comes."""
        found = of(records, day)
        rows = found.facts()
        for one in (one for dimension in found.dimensions for one in dimension.indicators if one.ends_on):
            for when, falls in ((one.ends_on - timedelta(days=1), False), (one.ends_on, True)):
                then = evaluator()(rows, ADULT, when)
                points = next(o.points for d in then.dimensions for o in d.indicators if o.id == one.id)
                assert (points < one.points) is falls


class TestWindows:
    """as_of - W < day <= as_of, in calendar months."""

    @pytest.mark.parametrize(
        ("day", "as_of", "counts"),
        [
            (date(2024, 11, 22), date(2026, 11, 22), False),
            (date(2024, 11, 23), date(2026, 11, 22), True),
            (date(2026, 11, 22), date(2026, 11, 22), True),
            (date(2026, 11, 23), date(2026, 11, 22), False),
            (date(2028, 2, 29), date(2030, 2, 28), True),
            (date(2028, 2, 29), date(2030, 3, 1), False),
            (date(2026, 2, 28), date(2028, 2, 29), False),
        ],
    )
    def test_the_edges_of_a_window(self, day: date, as_of: date, *, counts: bool) -> None:
        """The first day is outside, the last one inside, the end of February clamped."""
        assert (of([positive("P08", day, quantity=5)], as_of).points == 1110) is counts

    def test_nothing_before_adulthood_counts(self) -> None:
        """A row dated before the 18th birthday is ignored, good or bad."""
        rows = [
            positive("P08", date(2026, 11, 1), quantity=5),
            negative("N01", date(2026, 11, 10), None, act=date(2026, 11, 1)),
        ]
        assert of(rows, adult_on=date(2026, 11, 2)).points == 1100

    def test_a_minor_has_no_points(self) -> None:
        """Asking before adulthood is refused."""
        with pytest.raises(NotYetAdult):
            of([], adult_on=date(2026, 11, 23))

    def test_on_the_birthday_there_are_points(self) -> None:
        """The 18th birthday is the first day."""
        assert of([], adult_on=AS_OF).points == 1100


class TestDeductions:
    """Intervals, stops, holds and clean years."""

    @pytest.mark.parametrize(("as_of", "counts"), [(-1, False), (0, True), (29, True), (30, False)])
    def test_an_interval_holds_its_first_day_and_not_its_last(self, as_of: int, *, counts: bool) -> None:
        """[from_on, until_on)."""
        start = date(2026, 6, 1)
        row = negative("N01", start, start + timedelta(days=30))
        assert (of([row], start + timedelta(days=as_of)).points < 1100) is counts

    @pytest.mark.parametrize(("day", "counts"), [(-1, True), (0, False), (1, False)])
    def test_five_years_after_the_act_nothing_counts(self, day: int, *, counts: bool) -> None:
        """CIR article 16, even if an interval says otherwise."""
        row = negative("N02", date(2024, 6, 1), None, act=date(2021, 11, 22))
        assert (of([row], AS_OF + timedelta(days=day)).points < 1100) is counts

    def test_a_leap_day_act_stops_on_the_28th(self) -> None:
        """Five years after 29 February is the end of that February when the interval says so, never March."""
        row = negative("N02", date(2027, 1, 10), date(2029, 2, 28), act=date(2024, 2, 29))
        assert [of([row], date(2029, 2, day)).points for day in (27, 28)] == [890, 1100]

    def test_all_deductions_take_sixty_at_most(self) -> None:
        """The 60 is applied to the sum; each column stays under its own cap."""
        rows = [
            negative(kind, date(2026, 6, 1), None, name=f"{kind}{number}")
            for kind in ("N01", "N02", "N04", "N05", "N06")
            for number in range(6)
        ]
        found = of(rows)
        lost = {one.id: one.points for one in found.deductions}
        assert lost == {"n01": 200, "n02": 300, "n04": 200, "n05": 40, "n06": 100}
        assert found.points == 1000 + 80 - 600

    def test_a_listed_defaulter_is_held_and_keeps_the_points(self) -> None:
        """The tier is shown as the lowest; the points and clean years stay."""
        found = of([negative("N03", date(2026, 6, 1), None)])
        assert (found.points, found.tier, found.held) == (1100, "基础", True)

    @pytest.mark.parametrize(("days", "clean"), [(0, 4), (364, 4), (365, 3), (729, 3), (730, 2), (1459, 1), (1460, 0)])
    def test_clean_years_are_periods_of_365_days(self, days: int, clean: int) -> None:
        """A deduction that still counts takes every period that holds one of its days."""
        row = negative("N05", AS_OF - timedelta(days=days), None)
        found = of([row]).columns()
        assert found["i_clean"] == clean * 20

    def test_a_deduction_that_is_over_gives_its_years_back(self) -> None:
        """Only what still counts on the day takes a clean year."""
        row = negative("N05", date(2022, 1, 1), AS_OF)
        assert [of([row], AS_OF - timedelta(days=back)).points for back in (0, 1)] == [1100, 980]

    def test_the_columns_of_the_batch_path_are_all_there(self) -> None:
        """Names and order of the output file."""
        names = list(of([]).columns())
        assert names == [
            *("points_tenths", "tier", "held"),
            *("i_obligations", "i_library", "i_commitments", "i_volunteering", "i_volunteer_honour", "i_charity"),
            *("i_bravery", "i_civic_honour", "i_skill_honour", "i_rural", "i_role", "i_clean"),
            *("d_d1", "d_d2", "d_d3", "d_d4", "d_d5"),
            *("n_n01", "n_n02", "n_n04", "n_n05", "n_n06"),
        ]

"""Rules 25 to 28: how long something may count, be kept, be looked up."""

from datetime import date, timedelta

import asyncpg
import pytest

from core import months
from scoring.batch import nightly
from tests.law.conftest import Move
from tests.law.lines import DEDUCTIONS, FIELDS, code, costs, each, judge, line
from tests.rulebook import book, card
from tests.scoringworld import TODAY, City, hours, id_number, penalty, water

ANN = id_number(1)
LEAP = date(2024, 2, 29)


class TestFiveYears:
    """Rule 25."""

    @pytest.mark.parametrize("kind", ["N01", "N02", "N04", "N06"])
    @pytest.mark.parametrize("act", [date(2021, 6, 1), LEAP, date(2023, 12, 31)])
    def test_rule_25_five_years_after_the_act_nothing_counts(self, kind: str, act: date) -> None:
        """However late the decision: on the last day it counts, five years after the act it does not (CIR 16)."""
        late = line(kind, on=act, effective=months.shift(act, 57))
        before, stop, after = each(months.shift(act, 60))
        assert costs(late, before) > 0
        assert (costs(late, stop), costs(late, after)) == (0, 0)

    def test_rule_25_an_act_of_a_29th_of_february(self) -> None:
        """Its five years end with 28 February: the shorter reading, for the citizen."""
        late = line("N02", on=LEAP, effective=date(2028, 6, 1))
        assert costs(late, date(2029, 2, 27)) == 150
        assert costs(late, date(2029, 2, 28)) == 0

    def test_rule_25_no_deduction_ships_without_a_stop(self) -> None:
        """Each has its five years by statute, or ends with what it punishes: arrears paid, a listing removed."""
        for rule in card().deductions:
            interval = book().kinds[rule.kind].interval
            assert interval is not None
            assert (rule.hard_stop_months == interval.hard_stop_months == 60) or interval.ends
            if rule.kind == "N05":
                assert interval.ends == "cleared_on"

    async def test_rule_25_after_five_years_the_record_is_deleted(self, city: City, move: Move) -> None:
        """Not only without effect: gone, papers and row (CIR 16), with the daily pass."""
        await city.join(ANN, days=360)
        await city.push(penalty("old", ANN, days=365 * 5 - 60), water("r1", ANN))
        await nightly.run(city.doors, as_of=TODAY)
        assert len(await city.rows("select 1 from scoring.record")) == 2
        await move(city, 90)
        await nightly.run(city.doors, as_of=TODAY + timedelta(days=90))
        assert [row["kind"] for row in await city.rows("select kind from scoring.record")] == ["P01"]


class TestDisplay:
    """Rule 26: the score effect stops when display stops."""

    @pytest.mark.parametrize(("kind", "limit"), [("N01", 12), ("N02", 36), ("N04", 36), ("N06", 12)])
    @pytest.mark.parametrize("effective", [date(2024, 2, 29), date(2025, 8, 31), date(2026, 1, 10)])
    def test_rule_26_the_effect_ends_with_the_display(self, kind: str, limit: int, effective: date) -> None:
        """12 months for what is general, 36 for what is serious, counted from the document (O36)."""
        given = line(kind, on=effective, effective=effective)
        before, stop, after = each(months.shift(effective, limit))
        assert costs(given, before) > 0
        assert (costs(given, stop), costs(given, after)) == (0, 0)

    def test_rule_26_minor_matters_are_never_displayed(self) -> None:
        """A minor matter leaves nothing to record (O36)."""
        assert code(line("N01", fields={**FIELDS["N01"], "severity": "minor"})) == "nothing_to_record"

    def test_rule_26_serving_late_does_not_lengthen_it(self) -> None:
        """It begins with the service and still ends twelve months after the document had effect."""
        found = judge(line("N01", notice={"no": "1", "served_on": "2026-09-01"}))
        assert (getattr(found, "from_on", None), getattr(found, "until_on", None)) == (
            date(2026, 9, 1),
            date(2027, 1, 10),
        )

    def test_rule_26_arrears_count_from_the_91st_day_and_stop_when_paid(self) -> None:
        """90 days are grace; the day of payment is free again."""
        owed = line("N05", on=date(2026, 1, 10), fields={**FIELDS["N05"], "cleared_on": "2026-07-01"})
        assert [costs(owed, day) for day in each(date(2026, 4, 10))] == [0, 20, 20]
        assert [costs(owed, day) for day in each(date(2026, 7, 1))] == [20, 0, 0]

    def test_rule_26_a_listing_holds_the_tier_and_takes_nothing(self) -> None:
        """A judgment defaulter keeps the points; so a listing is no deduction at all."""
        assert "N03" not in DEDUCTIONS
        assert costs(line("N03"), date(2026, 6, 1)) == 0


class TestShortest:
    """Rule 27."""

    def test_rule_27_every_kind_says_how_long_it_is_kept(self) -> None:
        """What counts by a window is kept for the window and a stated time, five years at the very most but honours."""
        for kind in book().kinds.values():
            assert kind.keep_months <= 60
            if kind.positive and kind.window_months and kind.window_months < 60:
                assert kind.window_months + kind.keep_months <= 60

    async def test_rule_27_a_positive_past_its_window_is_erased(self, city: City, move: Move) -> None:
        """The daily pass removes it when window and storage time are over."""
        await city.join(ANN, days=360)
        await city.push(water("old", ANN, back=23), hours("h1", ANN))
        await move(city, 70)
        await nightly.run(city.doors, as_of=TODAY + timedelta(days=70))
        assert [row["kind"] for row in await city.rows("select kind from scoring.record")] == ["P08"]


class TestLookedUp:
    """Rule 28."""

    @pytest.mark.parametrize(("years", "kept"), [(9, True), (11, False)])
    async def test_rule_28_who_looked_stays_for_ten_years(
        self, city: City, move: Move, years: int, *, kept: bool
    ) -> None:
        """The database itself refuses to forget an entry earlier, even its owner (SZX 45: five years; ZJ 20: ten)."""
        await city.join(ANN)
        await city.push(water("r1", ANN))
        await move(city, 366 * years)
        if kept:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="ten years"):
                await city.rows("delete from core.audit_entry")
        else:
            await city.rows("delete from core.audit_entry")
        assert bool(await city.rows("select 1 from core.audit_entry")) is kept

"""Rules 37 and 38: repair is a right, free, decided in days, and effective the same day."""

from datetime import date, timedelta

import pytest

from core import clock
from core.months import shift
from scoring import ending, holders, rulebook, standing
from scoring.book import repairfile
from scoring.rights.courses import REPAIR
from tests.law.lines import DEDUCTIONS
from tests.rulebook import text
from tests.scoringworld import TODAY, City, id_number, penalty

ANN = id_number(1)
RULES = repairfile.load(text("repair.toml"), "repair.toml")


class TestRight:
    """Rule 37."""

    @pytest.mark.parametrize(("kind", "least"), [("N01", 3), ("N02", 12)])
    def test_rule_37_not_before_the_minimum_display_time(self, kind: str, least: int) -> None:
        """Three months for what is general, a year for what is serious (O36)."""
        assert RULES.kinds[kind].minimum_months == least

    def test_rule_37_every_deduction_says_how_its_effect_ends(self) -> None:
        """By an application with stated conditions, or in a stated other way; none is without a way back."""
        assert set(RULES.kinds) | set(RULES.others) >= {*DEDUCTIONS, "N03"}
        assert all("performed" in term.always for term in RULES.kinds.values())

    async def test_rule_37_repaired_it_counts_no_more_from_that_day(self, city: City) -> None:
        """Display, sharing and use stop, results are updated the same day; the days before stay true (O36 art. 3)."""
        citizen_id = await city.join(ANN)
        await city.push(penalty("n1", ANN, days=120))
        lowered = await city.points(ANN)
        async with city.doors.work("scorer") as session:
            book = await city.book()
            await ending.repair(session, city.ring, source="utilities", ref="n1", version=None, book=book, as_of=TODAY)
        assert await city.points(ANN) > lowered
        async with city.as_citizen(citizen_id) as session:
            holder = await holders.one(session, city.ring, citizen_id=citizen_id)
            assert holder is not None
            book = await rulebook.current(session, on=clock.today())
            before = TODAY - timedelta(days=1)
            found = await standing.evaluate(session, [holder], as_of=before, book=book)
        assert found[citizen_id].points == lowered


class TestDays:
    """Rule 38."""

    def test_rule_38_decided_in_three_working_days_and_three_more(self) -> None:
        """The shipped rules have the strictest clocks found (SZX 82), and the effect is in the decision (HN 43)."""
        assert (RULES.decide_days, RULES.extension_days) == (3, 3)
        assert REPAIR.after("checked", "approve", by="staff") == "approved"
        assert "approved" in REPAIR.final

    def test_rule_38_no_fee(self) -> None:
        """No word of money is in the rules of repair but that it costs nothing (SZX 81)."""
        written = text("repair.toml")
        assert "修复不收任何费用" in written
        assert not any(word in written for word in ("price", "fee", "元", "收费标准"))

    def test_rule_38_the_first_day_is_counted_from_the_document(self) -> None:
        """Effective on a 30 November, three months later is the last day of February."""
        assert shift(date(2025, 11, 30), RULES.kinds["N01"].minimum_months) == date(2026, 2, 28)

"""The sheet of a scorecard says what the evaluator does, number for number."""

from datetime import date

from core.settings import ROOT
from scoring.book import catalogue
from scoring.points import evaluate, sheet
from tests.rulebook import card

SHEET = sheet.of(
    card(), catalogue.load((ROOT / "policy" / "catalogue.toml").read_text(encoding="utf-8"), "catalogue.toml")
)


class TestSheet:
    """The shipped scorecard."""

    def test_somebody_without_any_record_stands_where_the_evaluator_puts_them(self) -> None:
        """Points and tier of nobody's records."""
        found = evaluate.compile(card())([], date(2008, 1, 1), date(2026, 11, 22))
        assert (SHEET.plain, SHEET.plain_tier) == (found.points / 10, found.tier)

    def test_every_rule_in_force_is_on_it_and_no_other(self) -> None:
        """With its points, its cap and its levels."""
        gains = {one.name: one for group in SHEET.groups for one in group.gains}
        assert list(gains) == [rule.name for rule in card().indicators()]
        for rule in card().indicators():
            one = gains[rule.name]
            assert one.most == f"{rule.cap / 10:g}分"
            assert one.each == ("看级别" if rule.levels else f"每{rule.unit}{rule.points / 10:g}分")
            assert [points for _, points in one.levels] == [f"{level.points / 10:g}分" for level in rule.levels]
        assert [(one.name, one.each) for one in SHEET.losses] == [
            (rule.name, f"每项{rule.points / 10:g}分") for rule in card().deductions
        ]

    def test_what_can_be_reached(self) -> None:
        """From the base with everything off, to the base with every cap that its parts can fill."""
        assert (SHEET.least, SHEET.most) == ("40分", "177分")
        assert SHEET.tiers == (
            ("基础", "不到110分"), ("铜", "满110分"), ("银", "满120分"), ("金", "满135分"), ("桂", "满150分"),
        )  # fmt: skip

    def test_hours_of_a_day_are_said_where_they_count(self) -> None:
        """Nobody counts ten hours of a day and wonders."""
        (hours,) = [one for group in SHEET.groups for one in group.gains if "志愿服务" in one.kinds]
        assert hours.counted == "小时数相加，每天最多计8小时"

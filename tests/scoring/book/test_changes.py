"""Two scorecards compared by value."""

import pytest

from scoring.book import changes, scorecard
from scoring.book.changes import DOWN, OPEN, UP, WORDS
from tests import rulebook

TEXT = rulebook.text(rulebook.CARD)


def compared(old: str, new: str, *, count: int = 1) -> list[changes.Change]:
    """What replacing a piece of the shipped scorecard changes."""
    assert TEXT.count(old) >= 1, old
    return list(changes.compare(rulebook.card(), scorecard.load(TEXT.replace(old, new, count), "new.toml")))


class TestCompare:
    """By value, not by line."""

    def test_the_same_card_changes_nothing(self) -> None:
        """Nor do comments."""
        assert compared("# ---", "# another remark ---") == []

    @pytest.mark.parametrize(
        ("old", "new", "what", "shown", "effect"),
        [
            ('name = "银"\nfrom = 120', 'name = "银"\nfrom = 115', "起点分", ("120", "115"), UP),
            ('name = "银"\nfrom = 120', 'name = "银"\nfrom = 125', "起点分", ("120", "125"), DOWN),
            ("base = 100", "base = 101", "基础分", ("100", "101"), UP),
            ("deduction_cap = 60", "deduction_cap = 70", "扣分合计上限", ("60", "70"), DOWN),
            ("window_months = 24", "window_months = 12", "统计期", ("24个月", "12个月"), DOWN),
            ("window_months = 24", "window_months = 0", "统计期", ("24个月", "不限"), UP),
            ('name = "银"\nfrom', 'name = "银桂"\nfrom', "等级", ("银", "（无）"), OPEN),
            ('name = "日常义务按时履行"', 'name = "日常义务"', "名称", ("日常义务按时履行", "日常义务"), WORDS),
        ],
    )
    def test_each_value_says_which_way(
        self, old: str, new: str, what: str, shown: tuple[str, str], effect: str
    ) -> None:
        """What, from which to which value, on what basis, and whether it can only help."""
        first = compared(old, new)[0]
        assert (first.what, first.old, first.new, first.effect) == (what, *shown, effect)
        assert first.new_basis or first.old_basis
        assert changes.may_lower([first]) is (effect in {DOWN, OPEN})

    def test_a_kind_taken_out_lowers_and_one_put_in_helps(self) -> None:
        """Of clean years it is the other way round."""
        (fewer,) = compared('"P01", "P02"', '"P01"')
        assert (fewer.what, fewer.effect) == ("计入的记录种类", DOWN)
        (cleaner,) = compared('kinds = ["N01", ', "kinds = [")
        assert cleaner.effect == UP

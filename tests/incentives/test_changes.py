"""Perks compared by value, and what a partner can infer."""

import pytest

from core.settings import ROOT
from incentives import changes
from incentives.book import perkfile
from scoring.book.changes import DOWN, OPEN, UP, WORDS, may_lower
from tests.rulebook import text

TEXT = (ROOT / "policy" / "perks" / "library.toml").read_text()
OLD = perkfile.load(TEXT, "library.toml")


class TestCompare:
    """Editions of a file."""

    @pytest.mark.parametrize(
        ("old", "new", "effect"),
        [
            ("threshold = 110", "threshold = 120", DOWN),
            ("threshold = 110", "threshold = 100", UP),
            ("cap = 30000", "cap = 20000", DOWN),
            ("closed = false", "closed = true", DOWN),
        ],
    )
    def test_each_value_says_which_way(self, old: str, new: str, effect: str) -> None:
        """A higher threshold, a lower cap and a closed perk may take something away."""
        (found,) = changes.compare(OLD, perkfile.load(TEXT.replace(old, new), "library.toml"))
        assert (found.effect, may_lower([found])) == (effect, effect == DOWN)

    @pytest.mark.parametrize(
        ("old", "new", "effect", "words"),
        [
            ("percent = 20", "percent = 25", UP, "优惠比例 20% → 25%"),
            ("minus = 2000", "minus = 1000", DOWN, "另减 20元 → 10元"),
            ("from_amount = 10000", "from_amount = 11000", DOWN, "起点金额 100元 → 110元"),
            ("count = 5000", "count = 4000", DOWN, "限量（整项每天） 5000次 → 4000次"),
            ("count = 5000", "amount = 900000", OPEN, "5000次 → 9000元"),
            ("stranger = 8000", "stranger = 9000", OPEN, "公布的价格“园林成人票（旺季）” 80元 → 90元"),
            ("percent = 30", "percent = 40", OPEN, "活动“春季惠民游”"),
            ("valid_months = 12", "ends_on = 2027-01-01\nvalid_months = 12", DOWN, "截止日期 （无） → 2027-01-01"),
            ("valid_months = 12", "longest_days = 31\nvalid_months = 12", UP, "最长约定 30天 → 31天"),
            ("valid_months = 12", 'how_to_use = "扫码"\nvalid_months = 12', WORDS, "怎样使用 （无） → 扫码"),
            ('terminals = ["garden-1", "garden-2", "pagoda-1"]', 'terminals = ["pagoda-1"]', OPEN, "片区“古城片区”"),
        ],
    )
    def test_terms_say_which_way(self, old: str, new: str, effect: str, words: str) -> None:
        """Shares, budgets, prices, places, days and clocks, each in words; what could be either is not better."""
        body = text("perks/tourism.toml")
        (found,) = changes.compare(*(perkfile.load(one, "t.toml") for one in (body, body.replace(old, new, 1))))
        assert (found.effect, words in str(found)) == (effect, True), str(found)

    @pytest.mark.parametrize(
        ("old", "new", "effect"),
        [
            ("stranger = 10, granted = 20", "stranger = 10, granted = 25", UP),
            ("stranger = 10, granted = 20", "stranger = 10, granted = 15", DOWN),
            ("stranger = 10, granted = 20", "stranger = 8, granted = 20", OPEN),
            ("days = {stranger = 30, granted = 60}\n", "", DOWN),
        ],
    )
    def test_measures_say_which_way(self, old: str, new: str, effect: str) -> None:
        """More books are better; what strangers have is nobody's to lower unseen."""
        body = text("perks/library-limits.toml")
        (found,) = changes.compare(*(perkfile.load(one, "t.toml") for one in (body, body.replace(old, new, 1))))
        assert found.effect == effect

    def test_a_shorter_wait_is_better(self) -> None:
        """Less of it is more."""
        body = text("perks/service.toml")
        (found,) = changes.compare(
            *(perkfile.load(one, "t.toml") for one in (body, body.replace("granted = 3}", "granted = 2}")))
        )
        assert (found.effect, found.what) == (UP, "办理时限")

    def test_another_kind_could_be_either(self) -> None:
        """It is another promise."""
        body = text("perks/rental.toml")
        other = body.replace('sector = "rental"', 'sector = "rental"\nkind = "pay_later"')
        (found,) = changes.compare(perkfile.load(body, "r.toml"), perkfile.load(other, "r.toml"))
        assert (found.effect, found.old, found.new) == (OPEN, "免押金", "先用后付")

    def test_coming_and_going(self) -> None:
        """A new perk takes nothing from anybody; one that ends does."""
        assert [one.effect for one in changes.compare([], OLD)] == [UP]
        assert [one.effect for one in changes.compare(OLD, [])] == [DOWN]
        assert changes.compare(OLD, OLD) == ()


class TestInfer:
    """Bits."""

    def test_one_threshold_is_one_bit_and_two_are_the_log_of_three(self) -> None:
        """However many perks share them."""
        one = changes.infer("p", ["a", "b"], {"a": 1100, "b": 1100}, {"a": 1100, "b": 1200}, {})
        assert (one.per_perk, one.now, one.then, one.across) == (1.0, 1.0, 1.58, 1.58)

    def test_a_threshold_that_moves_tells_more_to_who_asks_on_both_sides(self) -> None:
        """And so does every threshold of the last year."""
        moved = changes.infer("p", ["a"], {"a": 1100}, {"a": 1150}, {"a": {1100, 1200, 1250}})
        assert (moved.now, moved.then, moved.across) == (1.0, 1.0, 2.32)

    def test_a_partner_without_an_open_perk_can_tell_nothing(self) -> None:
        """No answer, no bit."""
        nothing = changes.infer("p", ["a"], {}, {}, {})
        assert (nothing.per_perk, nothing.across, nothing.perks) == (0.0, 0.0, ())

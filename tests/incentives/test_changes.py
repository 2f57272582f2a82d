"""Perks compared by value, and what a partner can infer."""

import pytest

from core.settings import ROOT
from incentives import changes
from incentives.book import perkfile
from scoring.book.changes import DOWN, UP, may_lower

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

"""Perks: what they waive, and what may not be a perk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.policyfile import Faulty
from incentives.book import perkfile, perks, rates
from incentives.book.perks import Perk
from tests.rulebook import text

LIBRARY = text("perks/library.toml")
(library,) = perkfile.load(LIBRARY, "library.toml")
(rental,) = perkfile.load(text("perks/rental.toml"), "rental.toml")


class TestTerms:
    """`perks.terms`."""

    @given(st.integers(0, 10_000_000), st.integers(0, 10_000_000), st.sampled_from(rates.OVER_CAP))
    def test_nobody_is_worse_off_than_a_stranger(self, amount: int, cap: int, over: str) -> None:
        """For every amount and cap: what is waived is never negative, what remains never more than the deposit."""
        perk = Perk(
            **{name: getattr(library, name) for name in Perk.__struct_fields__} | {"cap": cap, "over_cap": over}
        )
        found = perks.terms(perk, amount)
        assert found.waived_amount >= 0
        assert 0 <= found.payable_deposit <= amount
        assert found.waived_amount + found.payable_deposit == amount
        assert found.waived_amount <= cap

    @pytest.mark.parametrize(
        ("amount", "waived", "payable", "over"),
        [(0, 0, 0, False), (30_000, 30_000, 0, False), (30_001, 30_000, 1, True)],
    )
    def test_the_library_takes_the_part_above_its_cap(
        self, amount: int, waived: int, payable: int, *, over: bool
    ) -> None:
        """300 yuan are waived, the rest is a deposit as for anybody."""
        assert perks.terms(library, amount) == perks.Terms(waived, payable, over_cap=over)

    @pytest.mark.parametrize(("amount", "waived", "over"), [(50_000, 50_000, False), (50_001, 0, True)])
    def test_the_rental_refuses_above_its_cap(self, amount: int, waived: int, *, over: bool) -> None:
        """Above 500 yuan the standard route is taken."""
        assert perks.terms(rental, amount) == perks.Terms(waived, amount - waived, over_cap=over)


class TestLoad:
    """`perkfile.load`."""

    def test_the_shipped_perks(self) -> None:
        """One threshold and one cap each, one bit each."""
        assert (library.id, library.threshold, library.cap) == ("library.deposit-free", 1100, 30_000)
        assert (rental.id, rental.threshold, rental.cap) == ("rental.deposit-free", 1200, 50_000)
        assert (library.bits(), rental.bits()) == (1.0, 1.0)
        assert library.basis.kind == "demo"

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('sector = "library"', 'sector = "finance"', "one of"),
            ('name = "免押金借书"', 'name = "凭分贷款"', "finance or insurance"),
            ('id = "library.', 'id = "rental.', "does not begin"),
            ('standard_route = "', 'standard_rout = "', "`standard_route` is missing"),
            ("threshold = 110", "threshold = [110, 120]", "`threshold` is not a number"),
            ("valid_months = 12", "valid_months = 13", "1 to 12"),
            ('pia = "', 'pias = "', "`pia` is missing"),
        ],
    )
    def test_what_may_not_be_a_perk_is_told(self, old: str, new: str, says: str) -> None:
        """Finance, no standard route, several thresholds, no impact assessment."""
        with pytest.raises(Faulty, match=says.replace("`", ".")):
            perkfile.load(LIBRARY.replace(old, new, 1), "library.toml")

    def test_a_perk_stands_once_in_its_file(self) -> None:
        """One threshold, one cap."""
        with pytest.raises(Faulty, match="stands twice"):
            perkfile.load(LIBRARY + LIBRARY, "library.toml")

"""Least efforts, computed."""

from scoring.points import reach
from scoring.points.reach import Persona
from tests.rulebook import card, text

PERSONAS = reach.load(text("personas.toml"), "personas.toml")


class TestHours:
    """`reach.hours`."""

    def test_nobody_is_asked_for_more_than_26_hours(self) -> None:
        """Each of the four lives reaches 银 within a year."""
        asked = {one.id: reach.hours(card(), one, PERSONAS.tier) for one in PERSONAS.personas}
        assert asked == {"migrant-tenant": 11, "gig-worker": 6, "disabled-person": 11, "retiree-without-phone": 11}
        assert reach.faults(card(), PERSONAS, "personas.toml") == []

    def test_the_cheapest_mix_is_found(self) -> None:
        """Ten points: six free, four by two commitments of two hours rather than twenty hours of service."""
        life = Persona("x", "x", "x", {"obligations": 12, "commitments": 3, "volunteering": 50})
        assert reach.hours(card(), life, "银") == 4

    def test_caps_are_kept(self) -> None:
        """A year of charity gives two points, not six."""
        assert reach.hours(card(), Persona("x", "x", "x", {"charity": 12}), "银") is None

    def test_a_life_shut_out_is_a_fault(self) -> None:
        """Too much effort and no way at all are both told."""
        hard = Persona("hard", "难", "hard", {"volunteering": 50})
        shut = Persona("shut", "无", "shut", {})
        found = reach.faults(card(), reach.Personas("银", 26, (hard, shut), PERSONAS.basis), "p")
        assert ["50 hours" in fault.message or "more than a year" in fault.message for fault in found] == [True, True]

"""The shipped scorecard, and what a broken one is told."""

import hashlib

import pytest

from core.policyfile import Faulty
from scoring.book import basis, scorecard
from scoring.book.basis import Basis, Claim
from tests.rulebook import CARD, book, card, text

SHIPPED = text(CARD)
STATUTES = basis.load(text("statutes.toml"), "statutes.toml")


def broken(old: str, new: str) -> list[str]:
    """Give the faults of the shipped scorecard with a change."""
    assert old in SHIPPED
    with pytest.raises(Faulty) as caught:
        scorecard.load(SHIPPED.replace(old, new, 1), CARD)
    return [str(fault) for fault in caught.value.faults]


class TestShipped:
    """`policy/scorecard/2026-01-01.toml`."""

    def test_the_digest_is_of_the_bytes(self) -> None:
        """Anybody can compare the file with what is in force."""
        assert card().digest == hashlib.sha256(SHIPPED.encode()).hexdigest()

    def test_the_scale_and_the_tiers(self) -> None:
        """0 to 200 from 100; tiers at 110, 120, 135 and 150."""
        assert (card().low, card().base, card().high, card().deduction_cap) == (0, 1000, 2000, 600)
        tiers = [(tier.name, tier.start) for tier in card().tiers]
        assert tiers == [("基础", 0), ("铜", 1100), ("银", 1200), ("金", 1350), ("桂", 1500)]

    def test_every_value_rests_on_something_and_no_law_is_claimed_falsely(self) -> None:
        """The five-year stop is law; every other number is a demo value."""
        claims = [*card().claims, *book().claims]
        assert basis.judge(claims, STATUTES) == []
        lawful = {claim.value for claim in claims if claim.basis.kind == "law"}
        assert lawful == {
            "deduction.hard_stop",
            "catalogue.hard_stop",
            "catalogue.adult_age",
            "catalogue.stops_after.N01",
            "catalogue.stops_after.O04",
            "catalogue.stops_after.N02",
        }

    def test_blood_and_marrow_are_there_and_off(self) -> None:
        """They ship disabled; nothing of them is counted or taken."""
        off = {one.id for dimension in card().dimensions for one in dimension.indicators if not one.enabled}
        assert off == {"blood", "donor"}
        assert not {"P10", "P11"} & card().kinds()


class TestFaults:
    """All faults at once, each with its line and what to do."""

    def test_a_fault_names_file_line_and_advice(self) -> None:
        """A cap in words is found on its line."""
        line = SHIPPED.splitlines().index("cap = 20") + 1
        (fault,) = broken("cap = 20", 'cap = "twenty"')
        assert fault.startswith(f"{CARD}:{line}: `cap` is not a number")

    def test_all_faults_are_found_in_one_pass(self) -> None:
        """Three mistakes, three faults."""
        changed = SHIPPED.replace("base = 100", "base = 100.05", 1).replace('measure = "sum"', 'measure = "total"', 1)
        changed = changed.replace("{value}个月按时", "{value}个月{name}", 1)
        with pytest.raises(Faulty) as caught:
            scorecard.load(changed, CARD)
        assert len(caught.value.faults) == 3

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('kinds = ["P04"]', 'kinds = ["P04", "P01"]', "kind P01 is used twice"),
            ('id = "library"', 'id = "obligations"', "id obligations is used twice"),
            ("from = 120", "from = 135", "do not rise"),
            ("base = 100", "base = 201", "outside the scale"),
            ('kinds = ["N01", "N02"', 'kinds = ["P01", "N02"', "P01, which deduct nothing"),
            ("points = 0.5", "points = 0.55", "at most one decimal"),
            ("points = 0.5", "point = 0.5", "Did you mean `points`"),
            ('{level = 2, name = "二星志愿者"', '{level = 1, name = "二星志愿者"', "Level 1 is given twice"),
            ("hard_stop = {months = 60", "hard_stop = {months = 61", "1 to 60"),
            ('basis = {kind = "demo"}', 'basis = {kind = "law"}', "cites nothing"),
            ('basis = {kind = "demo"}', 'basis = {kind = "demo", cite = "CIR-16"}', "demo basis cites"),
            ('basis = {kind = "demo"}', "", "`basis` is missing"),
            ('id = "2026-01-01"', 'id = "2026-01-01', "not TOML"),
        ],
    )
    def test_a_mistake_is_told(self, old: str, new: str, says: str) -> None:
        """Each mistake has its sentence."""
        assert any(says in fault for fault in broken(old, new))

    def test_a_dimension_needs_an_indicator_in_force(self) -> None:
        """Nothing enabled is a fault, not an empty line for the citizen."""
        faults = broken('id = "clean"\n', 'id = "clean"\nenabled = false\n')
        assert any("No indicator of this dimension" in fault for fault in faults)


class TestJudge:
    """`basis.judge`: a demo basis never passes for law."""

    @pytest.mark.parametrize(
        ("value", "amount", "kind", "cite", "says"),
        [
            ("deduction.hard_stop", 60, "law", "CIR-16", ""),
            ("deduction.hard_stop", 61, "law", "CIR-16", "allows at most 60 months"),
            ("catalogue.adult_age", 19, "law", "CC-17", "sets exactly 18 years"),
            ("indicator.points", 5, "law", "CIR-16", "does not set `indicator.points`"),
            ("indicator.points", 5, "law", "NO-SUCH", "not in the list"),
            ("indicator.points", 5, "policy", "CIR-16", "not of kind law"),
            ("indicator.points", 5, "city_decision", "示政发〔2026〕1号", ""),
            ("indicator.points", 5, "demo", "", ""),
        ],
    )
    def test_a_statute_is_cited_only_for_what_it_sets(
        self, value: str, amount: int, kind: str, cite: str, says: str
    ) -> None:
        """The list says which values a statute sets, and how far."""
        faults = basis.judge([Claim(value, amount, Basis(kind, cite), "f", 7)], STATUTES)
        assert [(fault.line, says in fault.message) for fault in faults] == ([(7, True)] if says else [])

    def test_words_that_were_changed_are_found(self) -> None:
        """The hash belongs to the quoted words."""
        with pytest.raises(Faulty, match="do not match"):
            basis.load(text("statutes.toml").replace("为5年", "为6年", 1), "statutes.toml")

"""The shipped case files, and what a case that does not hold is told."""

import pytest

from core.policyfile import Faulty
from scoring.points import cases
from tests.rulebook import POLICY, book, card

FILES = sorted((POLICY / "cases").glob("*.toml"))
RULES = cases.rules(card(), book())
GOOD = (POLICY / "cases" / "penalty-general.toml").read_text(encoding="utf-8")


class TestShipped:
    """`policy/cases`."""

    def test_there_are_at_least_forty(self) -> None:
        """Enough for an official to see every rule at work."""
        assert len(FILES) >= 40

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_the_rules_give_what_the_case_expects(self, file: object) -> None:
        """Points, tier, parts and sentences."""
        path = POLICY / "cases" / str(file).rpartition("/")[2]
        assert cases.run(path.read_text(encoding="utf-8"), path.name, RULES) == []


class TestRun:
    """`cases.run`."""

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("points = 103", "points = 104", "points is 103."),
            ('tier = "基础"', 'tier = "铜"', "The tier is 基础."),
            ('tier = "基础"', 'tier = "基础"\nheld = true', "held is false."),
            ("n01 = 5", "n01 = 4", "n01 is 5."),
            ("n01 = 5", "n99 = 5", "There is no part n99."),
            ("1项一般", "2项一般", "Nothing says “2项一般"),
            ('kind = "N01"', 'kind = "N01"\nrejected = "minor"', "The line is accepted."),
            ('kind = "N01"', 'kind = "N01"\nwithout = ["notice"]', "The line is missing_notice."),
        ],
    )
    def test_a_case_that_does_not_hold_says_where_and_what(self, old: str, new: str, says: str) -> None:
        """The line of the expectation, what came out, and what was expected."""
        faults = cases.run(GOOD.replace(old, new, 1), "x.toml", RULES)
        assert says in [fault.message[: len(says)] for fault in faults]
        assert all(fault.line > 1 for fault in faults)

    def test_a_case_that_cannot_be_read_is_told_so(self) -> None:
        """A missing day is a fault of the file, not a wrong result."""
        with pytest.raises(Faulty, match="`as_of` is missing"):
            cases.run(GOOD.replace("as_of", "asof", 1), "x.toml", RULES)

    def test_a_day_before_every_scorecard_has_no_rules(self) -> None:
        """A case is run by the scorecard of its day."""
        with pytest.raises(Faulty, match="No scorecard is valid"):
            cases.run(GOOD.replace("as_of = 2026", "as_of = 2025", 1), "x.toml", RULES)

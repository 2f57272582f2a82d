"""The published clocks of disputes: read strictly, and the same as what rules until some are published."""

import pytest

from core.policyfile import Faulty
from scoring.book import disputefile
from scoring.book.disputefile import UNPUBLISHED
from scoring.rights.disputing import OPEN
from tests.rulebook import text

SHIPPED = text("disputes.toml")


class TestLoad:
    """`policy/disputes.toml`."""

    def test_what_is_shipped_rules_until_something_is_published(self) -> None:
        """The numbers are the same, state by state, and each says what it rests on."""
        rules = disputefile.load(SHIPPED, "disputes.toml")
        assert [rules.days(state) for state in OPEN] == [UNPUBLISHED.days(state) for state in OPEN] == [1, 2, 3, 1]
        assert [claim.value for claim in rules.claims] == [
            "dispute.check", "dispute.answer", "dispute.extension", "dispute.decide",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("old", "new", "said"),
        [
            ("answer = {days = 2", "answer = {days = 0", "nobody can act in no time"),
            ("answer = {days = 2", "answer = {days = 21", "20"),
            ('answer = {days = 2, basis = {kind = "demo"}}\n', "", "answer"),
            ("answer = {days = 2", "answer = {hours = 48, days = 2", "hours"),
            ('decide = {days = 1, basis = {kind = "demo"}}', "decide = {days = 1}", "basis"),
        ],
    )
    def test_faults_are_named(self, old: str, new: str, said: str) -> None:
        """No time, too much time, a clock left out, an unknown member, a value that rests on nothing."""
        assert old in SHIPPED
        with pytest.raises(Faulty, match=said):
            disputefile.load(SHIPPED.replace(old, new), "disputes.toml")

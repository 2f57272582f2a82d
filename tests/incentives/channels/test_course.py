"""What follows at a channel, and that the pages say the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import ROOT
from incentives.channels import pacing
from incentives.channels.course import STAGES, WORDS, Known, Ours, Step, TooMuch, Want, at_rest, following, wanted
from incentives.channels.wechat import CODES
from incentives.orders.courses import CLOCKS, ORDER

_ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| (.*?) \| .*\|$", re.MULTILINE)
_CODE = re.compile(r"\b2\d{8}\b")
FEN = st.integers(0, 10_000)
KNOWN = st.builds(
    Known, st.sampled_from(sorted(WORDS)), held=st.just(10_000), fund=st.sampled_from([0, 0, 1]), charged=FEN, paid=FEN
)
OURS = st.builds(Ours, st.sampled_from(sorted(CLOCKS)), left=FEN, paid=FEN, recorded=FEN)


class TestWords:
    """One table of states: code, docs/from-wechat-and-alipay.md, and the course of orders."""

    def test_every_state_of_an_order_has_its_stage(self) -> None:
        """No state without one, no stage without words."""
        assert set(STAGES) == {one.name for one in ORDER.states}
        assert {stage for stages in STAGES.values() for stage in stages} <= set(WORDS)

    def test_the_page_says_the_same(self) -> None:
        """Every word of a channel beside a state is of a stage that this state has."""
        page = (ROOT / "docs/from-wechat-and-alipay.md").read_text(encoding="utf-8")
        rows = {found[1]: found for found in _ROW.finditer(page.split("## Calls")[0])}
        assert set(rows) == set(STAGES) - {"closed"}
        for state, row in rows.items():
            for column, channel in ((2, "wechat"), (3, "alipay")):
                said = set(re.findall(r"`([A-Z_]{4,})`", row[column]))
                meant = {word for stage in STAGES[state] for word in WORDS[stage][channel]}
                assert said <= meant | _OTHER_PRODUCTS, (state, channel)

    def test_the_page_names_every_code(self) -> None:
        """WeChat's numbers are known to the code, all that the page has."""
        page = (ROOT / "docs/from-wechat-and-alipay.md").read_text(encoding="utf-8")
        assert {int(code) for code in _CODE.findall(page)} <= set(CODES)


# What the page names of products that no adapter here speaks: 先享, the old rent API.
_OTHER_PRODUCTS = {"PAY_INPROGRESS", "TRADE_FINISHED", "OVERDUE"}


class TestFollowing:
    """The one next step."""

    @given(known=KNOWN, ours=OURS)
    def test_nothing_is_ever_charged_above_the_guarantee_or_upwards(self, known: Known, ours: Ours) -> None:
        """Whatever is known and wanted: a charge is within what is held, a change goes down."""
        try:
            step = following(known, wanted(ours))
        except TooMuch:
            assert ours.left > known.held or ours.recorded > known.held
            return
        if step is not None and step.verb == "complete":
            assert step.amount <= known.held
            assert step.amount in {0, ours.left, ours.recorded}
        if step is not None and step.verb == "modify":
            assert step.amount < known.charged

    @given(known=KNOWN, ours=OURS)
    def test_a_second_freeze_is_never_made(self, known: Known, ours: Ours) -> None:
        """An order is made where there is none, for one that holds; never after it was there."""
        try:
            step = following(known, wanted(ours))
        except TooMuch:
            return
        assert step != Step("create") or (known.stage == "none" and wanted(ours).aim == "hold")

    @given(ours=OURS)
    def test_whoever_holds_nothing_here_holds_nothing_there(self, ours: Ours) -> None:
        """An order that is over leaves no freeze and no charge: there is always a step, until there is nothing."""
        if "released" not in STAGES[ours.status] or ours.left:
            return
        for stage in ("to_confirm", "held", "charging"):
            known = Known(stage, held=10_000, charged=500)
            assert following(known, wanted(ours)) is not None or ours.recorded >= 500
            assert not at_rest(known, wanted(ours))

    def test_more_than_is_guaranteed_is_a_fault(self) -> None:
        """Our own gate refuses such a charge; if one comes all the same, a person looks."""
        with pytest.raises(TooMuch):
            following(Known("held", held=100), Want("charge", 101))

    def test_real_money_is_no_guarantee(self) -> None:
        """It is given back, even where something is to be charged."""
        assert following(Known("held", held=100, fund=100), Want("charge", 100)) == Step("cancel")


class TestPacing:
    """When it is looked at again."""

    def test_seldom_and_ever_more_seldom(self) -> None:
        """Waits grow to a bound; what is parked is tried every six hours."""
        for stage in WORDS:
            waits = [pacing.again(stage, idle) for idle in range(40)]
            assert waits == sorted(waits)
        retries = [pacing.retry(tries) for tries in range(1, 12)]
        assert retries == sorted(retries)
        assert retries[-1].total_seconds() == 6 * 3600

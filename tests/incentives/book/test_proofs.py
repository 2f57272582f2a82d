"""The proofs say what trying everything says, and a file that breaks one does not load."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.policyfile import Faulty
from incentives.book import kinds, perkfile, proofs
from incentives.book.perks import Measure, Perk
from incentives.book.places import Place
from incentives.book.proofs import Outcome
from incentives.book.rates import OVER_CAP, Rate, waives
from tests.rulebook import POLICY, text

FILES = sorted(f"perks/{path.name}" for path in (POLICY / "perks").iterdir())
(RENTAL,) = perkfile.load(text("perks/rental.toml"), "rental.toml")
AMOUNTS = range(150)  # every break of a small rate is below 65, and beyond the breaks nothing turns
POINTS = range(12)
_SMALL = st.integers(-3, 60)
_NONE = st.none()


def rates(percent: st.SearchStrategy[int]) -> st.SearchStrategy[Rate]:
    """Rates whose every break is small, senseless ones among them."""
    return st.builds(
        Rate, cap=_SMALL, over_cap=st.sampled_from(OVER_CAP), percent=percent, minus=_SMALL, from_amount=_SMALL
    )


@st.composite
def places(draw: st.DrawFn) -> Place:
    """A place that changes some numbers, its measures too."""
    return Place(
        id="p", name="p", zone=True, partners=(), terminals=("t",), from_on=None, until_on=None,
        cap=draw(_NONE | _SMALL), percent=draw(_NONE | st.integers(0, 100)), minus=draw(_NONE | _SMALL),
        from_amount=draw(_NONE | _SMALL), measures=draw(st.dictionaries(st.sampled_from(["visits", "fee"]), _SMALL)),
    )  # fmt: skip


@st.composite
def perks(draw: st.DrawFn) -> Perk:
    """Any perk that the structs can hold, small."""
    rate = draw(rates(st.integers(0, 100)))
    measures = tuple(
        Measure(name, draw(_SMALL), draw(_SMALL)) for name in draw(st.sets(st.sampled_from(["visits", "fee"])))
    )
    return msgspec.structs.replace(
        RENTAL, kind=draw(st.sampled_from(sorted(kinds.KINDS))), threshold=draw(st.integers(0, 10)), measures=measures,
        places=tuple(draw(st.lists(places(), max_size=2))), **msgspec.structs.asdict(rate),
    )  # fmt: skip


def got(outcome: Outcome, amount: int) -> dict[str, int]:
    """What an outcome is worth of an amount: of each thing more is better."""
    waived = 0 if outcome.rate is None else waives(outcome.rate, amount)
    signs = {name: 1 if kinds.GAUGES[name].more_is_better else -1 for name in outcome.measures}
    return {"waived": waived, "left": min(0, amount - waived)} | {
        name: signs[name] * value for name, value in outcome.measures.items()
    }


def less(one: Outcome, other: Outcome) -> bool:
    """Whether, of some amount, the other gets less of something, or something that the one never heard of."""
    if other.measures.keys() - one.measures.keys():
        return True
    return any(any(got(other, amount)[name] < value for name, value in got(one, amount).items()) for amount in AMOUNTS)


def tried(perk: Perk) -> bool:
    """Whether trying every amount, number of points and place finds somebody with less."""
    for place in (None, *perk.places):
        line = [proofs.outcome(perk, points, place) for points in POINTS]
        held = [proofs.outcome(perk, points, place, held=True) for points in POINTS]
        if any(less(proofs.stranger(perk), one) for one in distinct(line + held)):
            return True
        if any(one != other and less(one, other) for one, other in pairwise(line)):
            return True
    return False


def distinct(some: list[Outcome]) -> Iterator[Outcome]:
    """Each outcome once."""
    seen: list[Outcome] = []
    for one in some:
        if one not in seen:
            seen.append(one)
            yield one


class TestFlaws:
    """`proofs.flaws`."""

    @settings(max_examples=80, deadline=None)
    @given(perks())
    def test_the_proof_says_what_trying_everything_says(self, perk: Perk) -> None:
        """Sound and complete: for all amounts, points and places of small perks, sensible or not."""
        assert bool(proofs.flaws(perk)) == tried(perk)

    @settings(max_examples=150, deadline=None)
    @given(rates(st.integers(-50, 200)))
    def test_no_share_outside_the_language_slips_through(self, rate: Rate) -> None:
        """Whatever takes more than there is, or less than nothing, is found whatever the share."""
        perk = msgspec.structs.replace(RENTAL, **msgspec.structs.asdict(rate))
        if any(not 0 <= waives(rate, amount) <= amount for amount in AMOUNTS):
            assert proofs.flaws(perk)

    @settings(max_examples=200, deadline=None)
    @given(rates(st.integers(0, 100)), st.integers(0, proofs.LARGEST))
    def test_between_the_ends_nothing_turns(self, rate: Rate, amount: int) -> None:
        """On each stretch what is waived and what remains never fall: the step on which the proof stands."""
        ends = proofs.ends(rate)
        low = max(one for one in ends if one <= amount)
        waived, start = waives(rate, amount), waives(rate, low)
        assert waived >= start
        assert amount - waived >= low - start

    @pytest.mark.parametrize("file", FILES)
    def test_the_shipped_perks_are_proved(self, file: str) -> None:
        """Each of them, at each place."""
        for perk in perkfile.load(text(file), file):
            assert proofs.flaws(perk) == ()

    @pytest.mark.parametrize("file", ["perks.md", "perks.zh.md"])
    def test_the_example_of_the_guide_is_a_perk(self, file: str) -> None:
        """What an official copies from it loads."""
        guide = (POLICY.parent / "docs" / file).read_text(encoding="utf-8")
        example = guide.split("```toml\n")[1].split("```")[0]
        (perk,) = perkfile.load(example, file)
        assert (perk.kind, perk.budgets[0].count) == ("allowance", 4)

    def test_every_kind_ships(self) -> None:
        """A city that begins finds a draft of each kind, and of each field, under two thresholds in all."""
        shipped = [perk for file in FILES for perk in perkfile.load(text(file), file)]
        assert {perk.kind for perk in shipped} == kinds.KINDS.keys()
        assert {perk.field for perk in shipped} - {None} == kinds.FIELDS.keys()
        assert len({perk.threshold for perk in shipped}) == 2
        assert {perk.basis.kind for perk in shipped} == {"demo"}


def attacked(file: str, old: str, new: str) -> str:
    """What a shipped file says with one change, its faults joined."""
    body = text(f"perks/{file}")
    assert old in body
    with pytest.raises(Faulty) as caught:
        perkfile.load(body.replace(old, new, 1), file)
    return str(caught.value)


class TestAttacks:
    """Files that would take something from somebody."""

    @pytest.mark.parametrize(
        ("file", "old", "new", "says"),
        [
            ("library-limits.toml", "granted = 20", "granted = 9", "`items` is 9 instead of 10"),
            ("library-limits.toml", "granted = 60", "granted = 29", "worse off than a stranger"),
            ("service.toml", "{stranger = 5, granted = 3}", "{stranger = 5, granted = 6}", "at most what everybody"),
            ("health.toml", "fee = {stranger = 0, granted = 0}", "fee = {stranger = 0, granted = 1}", "`fee` is 1"),
            ("parking.toml", "minutes = 60", "minutes = 10", "(at `old-town`)"),
            ("tourism.toml", "from_amount = 10000\ncap = 2000", "from_amount = 1999\ncap = 2000", "more than there is"),
            ("tourism.toml", "minus = 2000", "minus = -1", "whole number from 0"),
            ("tourism.toml", "percent = 20", "percent = 120", "whole number from 0 to 100"),
            ("tourism.toml", "percent = 30", "minus = 100\nfrom_amount = 0", "(at `spring`)"),
            ("library-limits.toml", "days = {", "visits = {", "means nothing here"),
        ],
    )
    def test_less_than_a_stranger_is_refused(self, file: str, old: str, new: str, says: str) -> None:
        """Fewer books, a longer wait, a fee, a price below nothing, a worse zone: told with line and advice."""
        assert says in attacked(file, old, new)

    def test_the_line_of_the_fault_is_that_of_the_number(self) -> None:
        """An official finds what to correct."""
        line = text("perks/library-limits.toml").splitlines().index("items = {stranger = 10, granted = 20}") + 1
        assert f"library-limits.toml:{line}: " in attacked("library-limits.toml", "granted = 20", "granted = 9")

    def test_more_points_that_bring_less_are_refused(self) -> None:
        """Who is above the threshold may not have fewer books than who is below it."""
        assert "More points bring less" in attacked("library-limits.toml", "granted = 20", "granted = 9")

    @pytest.mark.parametrize("effect", ["N06", "points", "pause_all_perks"])
    def test_a_default_can_only_pause_its_own_perk(self, effect: str) -> None:
        """Nothing else is in the language."""
        new = f'closed = false\nafter_default = "{effect}"'
        assert "`after_default` is not one of pause_this_perk" in attacked("rental.toml", "closed = false", new)

    def test_several_thresholds_by_place_are_refused(self) -> None:
        """A zone has terms of its own, never a threshold."""
        new = "minutes = 60\nthreshold = 100"
        assert "`threshold` means nothing here" in attacked("parking.toml", "minutes = 60", new)

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ('id = "spring"', 'id = "old-town"', "stands twice"),
            ("from = 2027-03-01", "from = 2027-05-01", "ends before it begins"),
            ('terminals = ["garden-1", "garden-2", "pagoda-1"]', "", "without terminals or partners"),
            (
                "[[perk.programme]]",
                '[[perk.zone]]\nid = "z"\nname = "z"\npartners = ["p"]\n\n[[perk.programme]]',
                "can apply at once",
            ),
            ('per = "perk"\nevery = "day"\ncount = 5000', 'per = "citizen"\nevery = "day"\ncount = 9', "Two budgets"),
            ("count = 5000", "", "without a limit"),
            ('per = "perk"', 'per = "age"', "`per` is not one of"),
            ("stranger = 8000", "strange = 8000", "`stranger` is missing"),
            ("valid_months = 12", "starts_on = 2027-01-02\nends_on = 2027-01-01\nvalid_months = 12", "ends before"),
        ],
    )
    def test_terms_that_are_not_clear_are_refused(self, old: str, new: str, says: str) -> None:
        """Two places at once, a budget without a limit, or by what a person is."""
        assert says in attacked("tourism.toml", old, new)


class TestCovers:
    """`Place.covers` and `Place.differs`."""

    def test_a_zone_that_only_counts_has_no_terms_of_its_own(self) -> None:
        """The shipped zone of the gardens counts; the programme and the car parks give other terms."""
        ticket, lot = (perkfile.load(text(f"perks/{file}"), file)[0] for file in ("tourism.toml", "parking.toml"))
        assert [one.differs() for one in (*ticket.places, *lot.places)] == [False, True, True]

    @pytest.mark.parametrize(
        ("change", "here"),
        [
            ({}, True),
            ({"partners": ("p", "q")}, True),
            ({"partners": ("q",)}, False),
            ({"terminals": ("u",)}, False),
            ({"from_on": date(2027, 1, 2)}, False),
            ({"until_on": date(2027, 1, 1)}, True),
            ({"until_on": date(2026, 12, 31)}, False),
        ],
    )
    def test_partner_terminal_and_day_decide(self, change: dict[str, Any], *, here: bool) -> None:
        """And nothing about a person: there is nothing of one to ask about."""
        none = dict.fromkeys(("from_on", "until_on", "cap", "percent", "minus", "from_amount"))
        said = {"id": "x", "name": "x", "zone": False, "partners": (), "terminals": ("t",), "measures": {}, **none}
        assert Place(**{**said, **change}).covers("p", "t", date(2027, 1, 1)) is here

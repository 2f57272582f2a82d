"""Numbers of a rehearsal: what they tell of many, and that they tell nothing of few."""

from datetime import date

import msgspec

from core import cellkeys
from scoring.book import scorecard
from scoring.points import evaluate
from scoring.points.facts import Fact
from scoring.rehearsal.tally import Figures, Outcome, Person, Tally
from tests import rulebook

DAY, BORN = date(2026, 11, 22), date(2008, 1, 1)
NEW = scorecard.load(rulebook.text(rulebook.CARD).replace('name = "铜"\nfrom = 110', 'name = "铜"\nfrom = 111'), "n")
THEIRS = Person("990000", "30-44", "female")


def penalty() -> Fact:
    """A general penalty that counts: five points off, and the clean years with it."""
    begin, end = date(2026, 6, 1), date(2027, 6, 1)
    return Fact("N01", "x", begin, 1, None, "general", begin, end, "active", ())


def outcome(rules: evaluate.Evaluator, facts: list[Fact]) -> Outcome:
    """What a person with these facts has; the perk asks for 110 points."""
    found = rules(facts, BORN, DAY)
    return Outcome(found, frozenset({"library"} if found.points >= 1100 else ()))


def tallied(people: int, few: int = 0, *, kept: bool = False, who: Person = THEIRS) -> Figures:
    """So many clean people, and a few with a penalty; the new rules take the tier of the clean ones away, or do not."""
    old, new = rulebook.evaluator(), rulebook.evaluator() if kept else evaluate.compile(NEW)
    tally = Tally(rulebook.card(), rulebook.card() if kept else NEW)
    for number in range(people + few):
        facts = [penalty()] if number >= people else []
        person = Person("110000", "75+", "male") if number >= people else who
        one = outcome(old, facts)
        key = cellkeys.person_key(bytes(32), number.to_bytes(8))
        tally.add(key, person, one.evaluation, one, outcome(new, facts))
    return tally.figures({})


class TestFigures:
    """`Tally.figures`."""

    def test_many_are_told_by_tier_and_group(self) -> None:
        """Forty who go down a tier are seen to; nobody's points moved."""
        found = tallied(40)
        assert found.tiers.moved[1][0] is not None
        assert abs(found.tiers.moved[1][0] - 40) <= cellkeys.SPREAD
        assert found.tiers.after[1] is None
        assert (found.points.lower, found.points.higher) == (None, None)
        (district,) = found.districts
        assert district.same == district.people

    def test_few_who_come_out_differently_change_no_number(self) -> None:
        """Nine people's change is not told at all: the numbers are those of no change."""
        assert tallied(9) == msgspec.structs.replace(tallied(9, kept=True), tiers=tallied(9).tiers)
        assert tallied(9).changed is None

    def test_a_small_group_is_no_row(self) -> None:
        """Three people of another district, age and sex do not appear, nor does a row under ten for them."""
        found = tallied(40, 3)
        assert [one.id for one in found.districts] == ["990000", ""]
        assert [one.people for one in found.districts][1] is None
        for groups in (found.districts, found.ages, found.sexes):
            for one in groups[1:]:
                assert (one.people, one.lower, one.same, one.higher) == (None, None, None, None)

    def test_a_perk_that_few_lose_has_equal_margins(self) -> None:
        """Before and after look alike, whatever fewer than ten gain or lose."""
        (perk,) = tallied(40, 5).perks
        assert (perk.before, perk.gained, perk.lost) == (perk.after, None, None)

    def test_whose_groups_are_not_known_counts_without_them(self) -> None:
        """Somebody without a proved name is in the whole and in no group."""
        found = tallied(40, who=Person(None, None, None))
        assert found.people is not None
        assert (found.districts, found.ages, found.sexes) == ((), (), ())

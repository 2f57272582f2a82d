"""An evaluation in the citizen's words."""

import re
from datetime import date

import msgspec
from hypothesis import given, settings

from core.months import shift
from scoring.points import evaluate
from scoring.points.efforts import future
from scoring.points.explain import explain
from scoring.points.facts import RecordRow, facts
from scoring.points.scoreview import IndicatorView, Next, ScoreView
from scoring.points.texts import sentences
from scoring.points.ways import next_tier
from tests.rulebook import card, evaluator
from tests.scoring.records import ADULT, AS_OF, RECORDS, negative, positive


def view(records: list[RecordRow], as_of: date = AS_OF) -> ScoreView:
    """Explain records by the shipped scorecard."""
    return explain(evaluator()(facts(records), ADULT, as_of), card(), evaluator())


def indicator(found: ScoreView, identity: str) -> IndicatorView:
    """Give one indicator."""
    parts = [one for dimension in found.dimensions for one in dimension.indicators]
    return next(one for one in parts if one.id == identity)


WATER = [positive("P01", date(2025 + (month > 11), month % 12 + 1, 1), name=f"w{month}") for month in range(12, 20)]


class TestExplain:
    """`explain.explain`."""

    def test_the_whole_object_of_the_contract(self) -> None:
        """The names that the contract fixes are there, and numbers have one digit."""
        shown = msgspec.json.decode(msgspec.json.encode(view(WATER)))
        assert {
            "points",
            "range",
            "tier",
            "held",
            "as_of",
            "scorecard",
            "dimensions",
            "deductions",
            "next_tier",
        } <= set(shown)
        assert shown["range"] == {"min": 0.0, "max": 200.0, "base": 100.0}
        assert shown["points"] == 114.0
        one = shown["dimensions"][0]["indicators"][0]
        named = {"id", "name", "points", "cap", "value", "unit", "reason", "basis", "records", "ends_on", "next"}
        assert named <= set(one)
        assert one["basis"] == {"kind": "demo", "cite": "示范规则，未经任何城市采用"}
        assert shown["scorecard"]["digest"] == card().digest

    def test_a_point_has_its_records_and_its_end(self) -> None:
        """The ids behind it, the day it begins to fall, and what it is then."""
        found = view(
            [positive("P13", date(2020, 1, 1), name="b", level=2), positive("P04", date(2026, 1, 9), name="a")]
        )
        library, bravery = indicator(found, "library"), indicator(found, "bravery")
        assert (library.records, library.ends_on) == (("a",), date(2028, 1, 1))
        assert library.next == Next(date(2028, 1, 1), 0.0, "如果没有新的记录，2028-01-01起这一项变为0分")
        assert bravery.ends_on is None

    def test_a_best_level_names_only_its_own_records(self) -> None:
        """A lower honour in the window is not behind the points."""
        rows = [positive("P14", date(2026, 1, 1), name=name, level=level) for name, level in (("low", 1), ("high", 3))]
        assert indicator(view(rows), "civic_honour").records == ("high",)

    def test_a_deduction_is_negative_and_says_how_it_ends(self) -> None:
        """Points below zero, the stop, and what recovers it."""
        found = view([negative("N01", date(2026, 6, 1), date(2027, 6, 1), name="x")])
        (one,) = found.deductions
        assert (one.points, one.records, one.ends_on) == (-5.0, ("x",), date(2027, 6, 1))
        assert one.next is not None
        assert one.next.points == 0.0
        clean = indicator(found, "clean").next
        assert clean == Next(date(2027, 6, 1), 10.0, "2027-06-01起这一项变为10分")

    def test_a_deduction_names_its_limits_and_from_when_they_run(self) -> None:
        """The display limit runs from the document's effect, the hard stop from the act; arrears have neither."""
        found = view([negative("N01", date(2026, 6, 1), date(2027, 6, 1), name="x"), negative("N05", AS_OF, None)])
        assert [one.limits for one in found.deductions] == [
            "自文书生效之日起最多显示12个月，期满不再扣分；任何情况下不超过行为之日起5年",
            "",
        ]

    def test_a_clean_year_comes_back_when_the_deduction_stops(self) -> None:
        """Unless it costs another year before that."""
        found = view([negative("N01", date(2026, 6, 1), date(2027, 1, 1), name="x")])
        clean = indicator(found, "clean").next
        assert clean is not None
        assert (clean.on, clean.points) == (date(2027, 1, 1), 10.0)

    def test_open_arrears_name_no_day_for_a_clean_year(self) -> None:
        """Nobody knows when they are paid; when all years are lost, nothing more is told."""
        found = view([negative("N05", date(2021, 12, 1), None, name="x")])
        assert indicator(found, "clean").next is None

    def test_a_hold_takes_no_points_and_is_told(self) -> None:
        """The entry has zero points and says when the tier comes back."""
        found = view([negative("N03", date(2026, 6, 1), None, name="x")])
        (one,) = found.deductions
        assert (one.points, one.holds_tier, one.ends_on, found.held) == (0.0, True, None, True)

    @settings(max_examples=25)
    @given(RECORDS)
    def test_every_set_of_records_can_be_explained(self, records: list[RecordRow]) -> None:
        """The parts shown add up to the points shown, and no placeholder is left in a sentence."""
        found = view(records)
        lost = max(-found.deduction_cap, sum(one.points for one in found.deductions))
        whole = round(100 + sum(one.points for one in found.dimensions) + lost, 1)
        assert found.points == min(200.0, max(0.0, whole))
        assert not any("{" in said for said in sentences(found))


class TestNextTier:
    """What is missing, and how to get there."""

    def test_a_clean_adult_needs_ten_points(self) -> None:
        """Twenty months of any obligation reach it alone, at no effort."""
        found = view([]).next_tier
        assert found is not None
        assert (found.tier, found.points_needed) == ("银", 10.0)
        first = found.ways[0]
        assert (first.indicator, first.reaches, first.effort_hours, first.on) == (
            "obligations",
            True,
            0,
            date(2028, 7, 1),
        )

    def test_hours_are_done_eight_a_week(self) -> None:
        """Fifty hours take seven days, one in each week from tomorrow: a pace that somebody with work can keep."""
        found = view([]).next_tier
        assert found is not None
        way = next(way for way in found.ways if way.indicator == "volunteering")
        assert (way.effort_hours, way.gain, way.on, way.reaches) == (50, 10.0, date(2027, 1, 4), True)

    def test_what_does_not_reach_is_said_to_come_nearer(self) -> None:
        """Charity is capped at two points; it is offered, after what reaches."""
        found = view([]).next_tier
        assert found is not None
        way = next(way for way in found.ways if way.indicator == "charity")
        assert (way.gain, way.reaches, "更近" in way.text) == (2.0, False, True)

    def test_what_lapses_meanwhile_is_counted_off(self) -> None:
        """Months at the far end of the window fall out while new ones come, so more of them are needed."""
        rows = [positive("P01", date(2024, 12, 1), name="old")]
        found = view(rows).next_tier
        assert found is not None
        way = next(way for way in found.ways if way.indicator == "obligations")
        assert way.on == date(2028, 7, 1)

    def test_paying_arrears_is_a_way(self) -> None:
        """What can be settled at once is offered with what it gives back."""
        found = view([negative("N05", date(2026, 6, 1), None)]).next_tier
        assert found is not None
        first = found.ways[0]
        assert (first.indicator, first.gain, first.reaches, first.on) == ("n05", 4.0, True, AS_OF)

    def test_a_stop_that_comes_by_itself_is_a_way(self) -> None:
        """Waiting for the end of a penalty costs nothing."""
        found = view([negative("N01", date(2026, 6, 1), date(2027, 6, 1))]).next_tier
        assert found is not None
        assert (found.ways[0].indicator, found.ways[0].on, found.ways[0].gain) == ("n01", date(2027, 6, 1), 7.0)

    def test_a_held_tier_comes_back_by_removal(self) -> None:
        """No points are missing; the listing has to end."""
        found = view([negative("N03", date(2026, 6, 1), date(2026, 12, 1))]).next_tier
        assert found is not None
        assert (found.tier, found.points_needed) == ("铜", 0.0)
        assert [(way.indicator, way.on) for way in found.ways] == [("n03", date(2026, 12, 1))]

    def test_held_and_without_a_tier_both_are_told(self) -> None:
        """Below the first tier the points are missing too; removal alone does not reach it."""
        rows = [negative("N03", date(2026, 6, 1), None), negative("N01", date(2026, 6, 1), None, name="y")]
        found = view(rows).next_tier
        assert found is not None
        assert found.tier == "铜"
        assert ("n03", False) in {(way.indicator, way.reaches) for way in found.ways}

    def test_several_things_together_when_no_single_one_reaches(self) -> None:
        """The least effort in hours that the evaluator confirms: what is owed anyhow first, and caps kept."""
        rows = [positive("P01", shift(date(2026, 11, 1), -back), name=f"w{back}") for back in range(20)]
        found = view(rows).next_tier
        assert found is not None
        assert (found.tier, found.points_needed) == ("金", 15.0)
        first, *others = found.ways
        assert (first.reaches, "+" in first.indicator, first.text.startswith("几件事一起做：")) == (True, True, True)
        assert not any(way.reaches for way in others)

    @settings(max_examples=40)
    @given(RECORDS)
    def test_every_promise_is_kept(self, records: list[RecordRow]) -> None:
        """Done as told, at its pace, every way that says it reaches the tier reaches it on its day."""
        now = evaluator()(facts(records), ADULT, AS_OF)
        found = next_tier(now, card(), evaluator())
        rules = {rule.id: rule for rule in card().indicators()}
        for way in found.ways if found else ():
            names = way.indicator.split("+")
            if not way.reaches or not set(names) <= rules.keys():
                continue
            amounts = [int(n) for n in re.findall(r"再有(\d+)", way.text)]
            pairs = [(rules[name], units) for name, units in zip(names, amounts, strict=True)]
            added = [fact for rule, units in pairs if rule.effort for fact in future(rule, rule.effort, units, AS_OF)]
            assert way.on is not None
            then = evaluator()([*now.facts(), *added], ADULT, way.on)
            assert card().tier(then.points).name == found.tier or then.points >= now.points + found.points_needed * 10
            assert way.effort_hours == sum(rule.effort.hours * units for rule, units in pairs if rule.effort)

    def test_what_adds_nothing_is_not_offered(self) -> None:
        """In a dimension that is full already, one more thing is no way."""
        first, *others = card().dimensions
        narrow = msgspec.structs.replace(card(), dimensions=(msgspec.structs.replace(first, cap=100), *others))
        rows = facts([positive("P01", shift(AS_OF, -back), name=f"w{back}") for back in range(20)])
        ask = evaluate.compile(narrow)
        found = explain(ask(rows, ADULT, AS_OF), narrow).next_tier
        assert found is not None
        assert "charity" in {way.indicator for way in found.ways}
        assert "commitments" not in {way.indicator for way in found.ways}

    def test_at_the_top_there_is_no_next_tier(self) -> None:
        """桂 is the last."""
        rows = [positive(kind, AS_OF, name=kind, level=4) for kind in ("P13", "P14", "P15")]
        rows += [positive("P16", AS_OF, name="g", level=6)]
        rows += [positive("P08", date(2026, 11, day), name=f"v{day}", quantity=8) for day in range(1, 9)]
        assert (view(rows).points, view(rows).tier, view(rows).next_tier) == (151.0, "桂", None)

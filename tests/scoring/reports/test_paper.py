"""What stands on a report about points."""

from datetime import date
from typing import Any

import pytest

from scoring.points import explain
from scoring.points.facts import facts
from scoring.points.scoreview import ScoreView
from scoring.reports import paper
from scoring.reports.paper import NO_GLYPH, Choice, Holder, NothingChosen, Paper, Query
from tests.rulebook import card, evaluator
from tests.scoring.records import ADULT

DAY = date(2026, 11, 22)
NOBODY = Holder("张三明", "张*明")


def view() -> ScoreView:
    """The points of somebody without a record."""
    return explain.explain(evaluator()(facts([]), ADULT, DAY), card(), evaluator())


def made(holder: Holder = NOBODY, **chosen: Any) -> Paper:
    """The paper for a choice."""
    return paper.of_score(
        Choice(**chosen), holder, view(), counted=3, queries=(), issuer="示范市信用办公室", issued_on=DAY,
        valid_until=DAY,
    )  # fmt: skip


class TestChoice:
    """Nothing stands on it that was not chosen."""

    @pytest.mark.parametrize(
        ("chosen", "headline", "parts"),
        [
            ({}, ["分数", "等级"], []),
            ({"points": False}, ["等级"], []),
            ({"tier": False, "dimensions": True}, ["分数"], ["各部分得分"]),
            ({"points": False, "tier": False, "records": True}, [], ["记录"]),
            ({"queries": True}, ["分数", "等级"], ["近一年谁查询或报送过我的信息"]),
        ],
    )
    def test_each_content_by_itself(self, chosen: dict[str, bool], headline: list[str], parts: list[str]) -> None:
        """Points, tier, dimensions, records, queries."""
        one = made(**chosen)
        assert [fact.label for fact in one.headline] == headline
        assert [part.title for part in one.parts] == parts

    def test_nothing_is_refused(self) -> None:
        """A report shows something."""
        with pytest.raises(NothingChosen):
            made(points=False, tier=False)

    def test_a_name_is_masked_unless_asked_for_and_printable(self) -> None:
        """In full where every character has a glyph; else masked as ever."""
        assert made().facts[0].value == "张*明"
        assert made(full_name=True).facts[0].value == "张三明"
        assert made(Holder("𠮷三明", "𠮷*明"), full_name=True).facts[0].value == "〓*明"

    def test_a_character_without_a_glyph_is_explained_on_the_line(self) -> None:
        """Beside the name and beside the recipient, and nowhere else."""
        one = made(Holder("𠮷三明", "𠮷*明"), recipient="𠮷野公司")
        assert [fact.label for fact in one.facts if fact.note == NO_GLYPH] == ["持有人", "出示给"]
        assert "〓" in NO_GLYPH
        assert {fact.note for fact in made(recipient="江南公司").facts} == {""}

    def test_for_whom_it_is_stands_on_it_twice(self) -> None:
        """Among the facts and across the page."""
        one = made(recipient=" 江南公司 ")
        assert one.watermark == "仅供江南公司查看"
        assert one.facts[-1].value == "江南公司"
        assert made(recipient="  ").watermark == ""


class TestParts:
    """The tables."""

    def test_deductions_stand_beside_the_dimensions(self) -> None:
        """Whoever shows the parts shows what was taken off, too: a report is whole (HF17 (三))."""
        rows = made(dimensions=True).parts[0].rows
        assert [row.label for row in rows[-2:]] == ["清白年度", "扣分"]
        assert rows[-1].value == "无"
        assert rows[-2].share == 1

    def test_many_queries_are_gathered_on_one_page(self) -> None:
        """Five by name, the rest in one line; none says so."""
        asked = tuple(Query(f"单位{number}", 9 - number, DAY) for number in range(8))
        (part,) = _with(asked).parts
        assert [row.label for row in part.rows] == [*(f"单位{number}" for number in range(5)), "其他3个单位"]
        assert (part.rows[0].value, part.rows[-1].value) == ("9次", "9次")
        (none,) = _with(()).parts
        assert (none.rows, none.note) == ((), "没有任何单位查询过。")


def _with(asked: tuple[Query, ...]) -> Paper:
    """The paper that shows these queries."""
    return paper.of_score(
        Choice(queries=True), NOBODY, view(), counted=0, queries=asked, issuer="x", issued_on=DAY, valid_until=DAY
    )

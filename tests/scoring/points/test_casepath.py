"""A case read step by step, by whoever has a pencil."""

import re

import pytest

from core.settings import ROOT
from scoring.points import casepath, cases
from tests.rulebook import POLICY, book, card

RULES = cases.rules(card(), book())
FILES = sorted((POLICY / "cases").glob("*.toml"))


def path(name: str) -> str:
    """The path of a shipped case."""
    return casepath.path(cases.read((POLICY / "cases" / name).read_text(encoding="utf-8"), name, RULES))


class TestPath:
    """`casepath.path`."""

    def test_the_example_of_the_documentation(self) -> None:
        """docs/rules.md shows what the tool prints, to the letter."""
        told = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
        assert f"```text\n{path('persona-retiree.toml')}\n```" in told

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_the_sum_shown_is_the_points(self, file: object) -> None:
        """The last line of arithmetic adds up, for every shipped case."""
        name = str(file).rpartition("/")[2]
        case = cases.read((POLICY / "cases" / name).read_text(encoding="utf-8"), name, RULES)
        (terms, whole) = re.findall(r"第五步 总分和等级\n  (.+) = (-?[\d.]+)分", casepath.path(case))[0]
        parts = terms.replace(" - ", " + -").split(" + ")
        assert round(sum(map(float, parts)), 1) == float(whole) == case.evaluation.raw / 10

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("deductions-sixty.toml", "扣分合计：84分，超过合计上限，按60分扣"),
            ("deductions-sixty.toml", "一般行政处罚：2026-05-10 一般行政处罚（共4条）"),
            ("everything.toml", "12 + 10 + 4 = 26分，按25分计（上限25分）"),
            ("everything.toml", "24个月 × 0.5分 = 12分，超过上限，按10分计"),
            ("defaulter-held.toml", "等级暂按“基础”显示，分数不变"),
            ("disputed.toml", "不计入（异议处理中）：2026-05-10 一般行政处罚"),
            ("no-notice.toml", "没有收下：N01 missing_notice"),
            ("clean-adult.toml", "没有任何记录"),
        ],
    )
    def test_caps_holds_and_what_does_not_count_are_told(self, name: str, says: str) -> None:
        """Each where it happens."""
        assert says in path(name)

"""The pages on rules name every code of the catalogue."""

import re

import pytest

from core.settings import ROOT
from scoring.book.kinds import Kind
from scoring.points import casepath, cases
from tests.rulebook import book, card

_WORDS = {
    "zh": ("加分：", "扣分：", "暂停等级", "已停用", "只用于职业信用报告"),
    "en": ("adds: ", "deducts: ", "holds the tier", "not in force", "occupational report only"),
}
_HEADS = {
    "zh": "| 代码 | 名称 | 报送单位 | 用在哪里 |\n|---|---|---|---|",
    "en": "| code | name | in English | where it counts |\n|---|---|---|---|",
}


def table(language: str) -> str:
    """Every kind in the order of the codes, and what the scorecard does with it."""
    kinds = sorted({**book().kinds, **book().occupational}.values(), key=_order)
    return "\n".join([_HEADS[language], *(_row(kind, language) for kind in kinds)])


def _order(kind: Kind) -> tuple[int, str]:
    return "PNO".index(kind.code[0]), kind.code


def _row(kind: Kind, language: str) -> str:
    second = kind.bureau if language == "zh" else kind.english
    return f"| {kind.code} | {kind.name} | {second} | {_use(kind, language)} |"


def _use(kind: Kind, language: str) -> str:
    adds, deducts, holds, off, career = _WORDS[language]
    for rule in card().indicators():
        if kind.code in rule.kinds and kind.positive:
            return adds + (rule.name if language == "zh" else rule.english)
    for rule in card().deductions:
        if rule.kind == kind.code:
            return deducts + (rule.name if language == "zh" else rule.english)
    if kind.code in book().occupational:
        return career
    return holds if kind.code in card().kinds() else off


class TestPages:
    """`docs/rules.md` and `docs/rules.zh.md`."""

    @pytest.mark.parametrize(("page", "language"), [("rules.md", "en"), ("rules.zh.md", "zh")])
    def test_every_kind_is_named(self, page: str, language: str) -> None:
        """With its use in the shipped scorecard, line by line as the catalogue has it."""
        assert f"\n\n{table(language)}\n\n" in (ROOT / "docs" / page).read_text(encoding="utf-8")

    def test_every_code_of_a_refusal_is_in_words(self) -> None:
        """As far as a case that ships uses it: a case read aloud says the words, the file has the code."""
        told = (ROOT / "docs" / "rules.zh.md").read_text(encoding="utf-8")
        for file in (ROOT / "policy" / "cases").glob("*.toml"):
            for code in re.findall(r'rejected = "(\w+)"', file.read_text(encoding="utf-8")):
                (words,) = re.findall(rf"`{code}`（(.+?)）", told)
                case = cases.read(file.read_text(encoding="utf-8"), file.name, cases.rules(card(), book()))
                assert f"：{words}" in casepath.path(case), code

    def test_the_pages_lead_to_each_other(self) -> None:
        """Whoever opens the wrong one is one step from the right one."""
        assert "(rules.zh.md)" in (ROOT / "docs/rules.md").read_text(encoding="utf-8")
        assert "(rules.md)" in (ROOT / "docs/rules.zh.md").read_text(encoding="utf-8")

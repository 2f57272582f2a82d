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
        """Both docs/rules show what the tool prints, to the letter."""
        for page in ("rules.md", "rules.zh.md"):
            told = (ROOT / "docs" / page).read_text(encoding="utf-8")
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
            ("deductions-sixty.toml", "决定2026-06-01生效并送达，自2026-06-01起扣分（共4条）"),
            ("deductions-sixty.toml", "2027-06-01起这一项不再计"),
            ("everything.toml", "12 + 10 + 4 = 26分，按25分计（上限25分）"),
            ("everything.toml", "24个月 × 0.5分 = 12分，超过上限，按10分计"),
            ("defaulter-held.toml", "等级暂按“基础”显示，分数不变"),
            ("disputed.toml", "不计入（异议处理中）：一般行政处罚（N01）：2026-05-10的行为"),
            ("no-notice.toml", "没有收下：一般行政处罚（N01）：缺少送达凭据（missing_notice）"),
            ("rural-edition.toml", "填写不符合要求（malformed）；2026-01-31的一条，填的是“demo-village、五星标兵”"),
            ("rural-edition.toml", "填写不符合要求（malformed）；2026-06-30的一条，填的是“undeclared-village、6”"),
            ("rural-edition.toml", "最近12个月里最高是第五档，得5分\n"),
            (
                "volunteer-honour-best.toml",
                "最近60个月里最高是最美志愿者（五级），得1分（一星志愿者0.2分、最美志愿者（五级）1分，只取最高）",
            ),
            ("clean-adult.toml", "没有任何记录"),
            ("clean-adult.toml", "已停用、不计分的：无偿献血、造血干细胞与器官捐献"),
            ("penalty-display-over.toml", "不计入（期限已满或已了结）：一般行政处罚（N01）"),
            ("arrears-under-90.toml", "满90天是2026-12-30；通知2026-11-01生效并送达；取最晚，自2026-12-30起扣分"),
            ("arrears-under-90.toml", "不计入（还没有到开始的日子）"),
            ("defaulter-held.toml", "列入失信被执行人名单（N03）：列入日期2026-07-01"),
            ("volunteer-honour-best.toml", "志愿服务荣誉：最美志愿者（五级）"),
            ("everything.toml", "最近36个月里4个月"),
            ("persona-gig-worker.toml", "案例只写了月数，具体日期是系统代填的"),
            ("persona-gig-worker.toml", "日常义务按时履行（P21）：2025-12 登记房租按时支付"),
        ],
    )
    def test_caps_holds_and_what_does_not_count_are_told(self, name: str, says: str) -> None:
        """Each where it happens."""
        assert says in path(name)

    def test_a_deduction_is_told_from_its_papers_to_its_end(self) -> None:
        """Which day it counts from and why, which year it takes, when it ends, what it costs in all."""
        told = path("penalty-served-later.toml").splitlines()
        for line in (
            "  一般行政处罚（N01）：2026-02-10的行为；决定2026-03-01生效，2026-11-22送达；两者取晚，自2026-11-22起扣分",
            "    不计的年度：2025-11-23至2026-11-22（一般行政处罚）",
            "    显示期12个月，从生效日2026-03-01起算，2027-03-01起这5分不再扣（送达晚不会延长显示期）",
            "  另因清白年度少1年，少得2分，合计影响7分",
            "  103分，不到110分（铜），等级是“基础”",
        ):
            assert line in told

    def test_the_years_named_are_the_years_not_counted(self) -> None:
        """Every shipped case names as many as the evaluator takes."""
        for file in FILES:
            case = cases.read(file.read_text(encoding="utf-8"), file.name, RULES)
            lost = [line for line in casepath.path(case).splitlines() if "不计的年度" in line]
            assert sum(line.count("至") for line in lost) == 5 - int(case.evaluation.columns()["i_clean"]) // 20

    def test_what_is_said_to_be_lost_is_what_comes_back(self) -> None:
        """Counted without its deductions, a case has so many points more."""
        found = cases.read((POLICY / "cases/penalty-general.toml").read_text(encoding="utf-8"), "x", RULES)
        (lost,) = re.findall(r"合计影响([\d.]+)分", casepath.path(found))
        free = RULES.evaluator([], found.evaluation.adult_on, found.evaluation.as_of)
        assert free.points - found.evaluation.points == float(lost) * 10


class TestAgreement:
    """The last lines."""

    def test_a_case_that_holds_says_so(self) -> None:
        """With its points and tier."""
        assert path("penalty-served-later.toml").endswith("\n与案例预期一致：103分，基础")

    def test_a_case_that_does_not_hold_says_what_differs(self) -> None:
        """What the case says, what the rules give, and the line to correct."""
        text = (POLICY / "cases" / "penalty-general.toml").read_text(encoding="utf-8")
        told = casepath.path(cases.read(text.replace("points = 103", "points = 104"), "x.toml", RULES))
        assert "与案例预期不一致：案例写的是104分，基础；按规则是103分，基础\n  x.toml:13: points is 103." in told


class TestNames:
    """Whoever reads a case need not know a code by heart."""

    def test_every_kind_of_a_case_is_named_beside_it(self) -> None:
        """As the catalogue names it."""
        for file in FILES:
            for line in file.read_text(encoding="utf-8").splitlines():
                if line.startswith("kind = "):
                    code = line.split('"')[1]
                    assert line == f'kind = "{code}"  # {RULES.catalogue.kinds[code].name}', file.name

    def test_the_scorecard_names_the_six_obligations(self) -> None:
        """The comment above them is the catalogue's."""
        rule = next(one for one in RULES.card.indicators() if one.id == "obligations")
        named = " · ".join(f"{code} {RULES.catalogue.kinds[code].name}" for code in rule.kinds)
        assert f"\n# {named}\nkinds = " in (POLICY / "scorecard/2026-01-01.toml").read_text(encoding="utf-8")

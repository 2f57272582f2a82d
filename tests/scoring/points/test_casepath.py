"""A case read step by step, by whoever has a pencil."""

import re
from datetime import date, timedelta

import msgspec
import pytest

from core.settings import ROOT
from scoring.points import casepath, cases
from scoring.points.facts import facts
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
        parts = re.findall(r"(?:^|( [+-]) )[^\d ]+([\d.]+)", terms)
        assert round(sum(float(sign.strip() + value) for sign, value in parts), 1) == float(whole)
        assert float(whole) == case.evaluation.raw / 10

    @pytest.mark.parametrize(
        ("name", "says"),
        [
            ("deductions-sixty.toml", "扣分合计：84分，超过合计上限，按60分扣"),
            ("deductions-sixty.toml", "处罚决定2026-06-01生效并送达，自2026-06-01起扣分（共4条）"),
            (
                "deductions-sixty.toml",
                "这一项不再计（已到上限，那天按余下的重新合计）；清白年度要等别的扣分记录也停止才恢复",
            ),
            ("deductions-sixty.toml", "（一般行政处罚；严重行政处罚；骗取公积金、医保或救助；"),
            ("everything.toml", "12 + 10 + 4 = 26分，按25分计（上限25分）"),
            ("everything.toml", "最近24个月里有24个月，每个月0.5分，24 × 0.5 = 12分，超过上限，按10分计"),
            ("obligations-cap.toml", "有24个月（共48条记录，同一个月只算一次），每个月0.5分"),
            ("volunteer-two-organisations.toml", "有8小时（报送了10小时，每天最多计8小时），每小时0.2分"),
            (
                "charity-cap.toml",
                "（P12）：2026-06 慈善捐赠票据、2026-07 慈善捐赠票据 …… 2026-11 慈善捐赠票据（共6条）",
            ),
            ("defaulter-held.toml", "等级暂按“基础”显示，分数不变"),
            ("disputed.toml", "不计入（异议处理中）：一般行政处罚（N01）：2026-05-10的行为"),
            ("no-notice.toml", "没有收下：一般行政处罚（N01），2026-05-10的一条：缺少送达凭据\n"),
            ("rural-edition.toml", "2026-01-31的一条，险种或积分办法“示范村村民积分”，档次“五星标兵”：填写的内容"),
            ("rural-edition.toml", "2026-06-30的一条，险种或积分办法“undeclared-village”，档次“第六档”：填写的内容"),
            ("rural-edition.toml", "最近12个月里最高是第五档，得5分\n"),
            (
                "volunteer-honour-best.toml",
                "最近60个月里最高是最美志愿者（五级），得1分（一星志愿者0.2分；最美志愿者（五级）1分；只取最高）",
            ),
            ("clean-adult.toml", "没有任何记录"),
            ("clean-adult.toml", "得0分的：日常义务按时履行；图书馆按时还书；"),
            ("clean-adult.toml", "\n  基础分100 + 清白年度10 = 110分\n  110分，已满110分（铜），不到120分（银）"),
            ("blood-disabled.toml", "没有收下：无偿献血（P10），2026-11-10的一条：这一种类没有启用"),
            (
                "obligations-too-old.toml",
                "不计入（不在最近24个月里，最近24个月从2024-12起）：水费按时缴纳",
            ),
            ("leap-day-hours-over.toml", "最近24个月从2028-03-02起"),
            ("minor-violation.toml", "2026-05-10的一条，严重程度“轻微”：不构成可以记录的事项"),
            (
                "leap-day-birthday.toml",
                "2026-02-27的一条，时长“8小时”：未满18岁（本人2026-02-28满18岁；2月29日出生的，平年按2月28日算）",
            ),
            ("just-eighteen.toml", "有5年（18岁以前的时间算清白），每年2分"),
            (
                "arrears-under-90.toml",
                "2026-10-01，当天不算，往后数到2026-12-30满90天（计分日2026-11-22是第52天）",
            ),
            ("arrears-under-90.toml", "；欠费通知2026-11-01送达；取最晚，自2026-12-30起扣分"),
            ("arrears-under-90.toml", "不计入（还没有到开始的日子）"),
            ("arrears-open.toml", "缴清当日起不再扣分；清白年度少得的2分同一天恢复"),
            ("fraud.toml", "自2029-01-10起这10分不再扣；清白年度到那时少得的8分同一天恢复"),
            ("commitment-broken.toml", "书面认定2026-03-01生效并送达"),
            ("defaulter-held.toml", "列入失信被执行人名单（N03）：列入日期2026-07-01"),
            ("volunteer-honour-best.toml", "志愿服务荣誉：最美志愿者（五级）"),
            ("everything.toml", "最近36个月里有4个月"),
            ("persona-gig-worker.toml", "案例只写了月数，具体日期是系统代填的"),
            ("persona-gig-worker.toml", "日常义务按时履行（P21）：2025-12 登记房租按时支付"),
        ],
    )
    def test_caps_holds_and_what_does_not_count_are_told(self, name: str, says: str) -> None:
        """Each where it happens."""
        assert says in path(name)

    def test_a_deduction_is_told_from_its_papers_to_its_end(self) -> None:
        """Which day it counts from and why, which year it takes, when it ends, what is back then, what it costs."""
        told = path("penalty-served-later.toml").splitlines()
        first = "处罚决定2026-03-01生效，2026-11-22送达；两者取晚，自2026-11-22起扣分"
        limit = "显示期12个月，从生效日2026-03-01起算，自2027-03-01起这5分不再扣（送达晚不会延长显示期）"
        for line in (
            f"  一般行政处罚（N01）：2026-02-10的行为；{first}",
            "    不计的年度：2025-11-23至2026-11-22（一般行政处罚）",
            f"    {limit}；清白年度少得的2分同一天恢复",
            "  另因清白年度少1年，少得2分，合计影响7分",
            "  103分，不到110分（铜），等级是“基础”",
        ):
            assert line in told

    @pytest.mark.parametrize(
        ("name", "why", "end"),
        [
            (
                "five-years.toml",
                "行为已满5年",
                "行为之日2021-11-23起满5年，自2026-11-23起不再扣（显示期要到2027-06-01才满）",
            ),
            (
                "penalty-display-over.toml",
                "显示期满",
                "显示期12个月，从生效日2025-11-22起算，自2026-11-22起不再扣（行为要到2030-11-01才满5年）",
            ),
            ("arrears-paid.toml", "已缴清", "自2026-11-22（缴清当天）起不再扣"),
            ("defaulter-removed.toml", "已移出名单", "自2026-11-22（移出名单当天）起不再暂停"),
        ],
    )
    def test_a_record_that_is_over_says_why_and_since_when(self, name: str, why: str, end: str) -> None:
        """By which limit, and on which day the other would have come."""
        (line,) = [line for line in path(name).splitlines() if "不计入" in line]
        assert line.startswith(f"  不计入（{why}）：")
        assert line.endswith(f"；{end}")

    def test_a_record_served_after_its_display_was_over_never_counted(self) -> None:
        """And says so."""
        text = (POLICY / "cases" / "penalty-display-over.toml").read_text(encoding="utf-8")
        late = text.replace("served_on = 2025-11-22", "served_on = 2026-11-22")
        told = casepath.path(cases.read(late, "x.toml", RULES))
        assert "自2026-11-22起不再扣，所以从来没有扣过（送达晚不会延长显示期）" in told

    def test_what_is_said_to_be_back_is_back_on_that_day(self) -> None:
        """For every shipped case with one deduction that ends: the evaluator agrees, to the tenth."""
        seen = 0
        for file in FILES:
            case = cases.read(file.read_text(encoding="utf-8"), file.name, RULES)
            told = casepath.path(case)
            found = re.findall(r"自([\d-]+)起这([\d.]+)分不再扣.*；清白年度(?:到那时)?少得的([\d.]+)分同一天恢复", told)
            for day, points, years in found:
                on = date.fromisoformat(day)
                last, free = (self.deduced(case, each) for each in (on - timedelta(days=1), on))
                assert (last, free) == (round(10 * (float(points) + float(years))), 0), file.name
                seen += 1
        assert seen > 5

    def test_years_that_others_still_hold_come_back_later(self) -> None:
        """The older of two ends first: some years are back, the rest wait."""
        text = (POLICY / "cases" / "penalty-serious.toml").read_text(encoding="utf-8")
        more = '[[record]]\nkind = "N01"\non = 2026-10-01\n\n[expect]'
        told = casepath.path(cases.read(text.replace("[expect]", more), "x.toml", RULES))
        assert "自2027-12-01起这15分不再扣；清白年度到那时少得的6分同一天恢复" in told
        later = more.replace("2026-10-01", '2026-10-01\nstatus = "active"').replace("N01", "N05")
        later = later.replace("\n\n[expect]", "\nfields = {since = 2026-01-01}\n\n[expect]")
        told = casepath.path(cases.read(text.replace("[expect]", later), "x.toml", RULES))
        assert "清白年度少得的2分同一天恢复，其余要等别的扣分记录也停止" in told

    def test_a_card_without_clean_years_and_with_a_narrow_scale(self) -> None:
        """Nothing is said of years, and what the scale cuts off is."""
        narrow = msgspec.structs.replace(card(), dimensions=card().dimensions[:-1], low=970)
        text = (POLICY / "cases" / "penalty-general.toml").read_text(encoding="utf-8")
        told = casepath.path(cases.read(text, "x.toml", cases.rules(narrow, book())))
        assert "清白年度" not in told.partition("第一步")[2]
        assert "基础分100 - 扣分5 = 95分\n  分数在97到200之间，所以是97分\n" in told

    def test_the_month_of_the_birthday_is_told_apart(self) -> None:
        """It was taken, and does not count."""
        text = (POLICY / "cases" / "one-month-water.toml").read_text(encoding="utf-8")
        young = text.replace("1990-05-01", "2008-10-03")
        told = casepath.path(cases.read(young, "x.toml", RULES))
        assert "不计入（按月计的，从满18岁以后的整月起；本人2026-10-03满18岁）：水费按时缴纳" in told

    @staticmethod
    def deduced(case: cases.Case, day: date) -> int:
        """What deductions and lost years take on a day, in tenths."""
        found = RULES.evaluator(facts(case.rows), case.evaluation.adult_on, day)
        return sum(one.points for one in found.deductions) + 100 - int(found.columns()["i_clean"])

    def test_no_word_of_ours_is_left(self) -> None:
        """Codes of kinds and grades are all the Latin letters there are."""
        for file in FILES:
            words = re.findall(r"[A-Za-z]{2,}", path(file.name))
            assert set(words) <= {"undeclared", "village"}, file.name

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

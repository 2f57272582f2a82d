"""Why points moved, in plain Chinese."""

from datetime import date, timedelta

import msgspec

from core.months import shift
from scoring.book import scorecard
from scoring.past import causes
from scoring.past.causes import Because
from scoring.points import evaluate
from scoring.points.evaluate import Evaluation
from scoring.points.facts import RecordRow, facts
from tests.rulebook import POLICY, book, card, evaluator
from tests.scoring.records import ADULT, AS_OF, negative, positive

BILL = positive("P01", date(2026, 10, 1), name="w")
FINE = negative("N01", date(2026, 6, 1), date(2027, 6, 1), name="n")
LISTED = negative("N03", date(2026, 6, 1), date(2026, 12, 1), name="l")


def counted(*rows: RecordRow, on: date = AS_OF) -> Evaluation:
    """The points of records."""
    return evaluator()(facts(rows), ADULT, on)


def because(before: Evaluation | None, after: Evaluation, cause: str = "records.write:utilities") -> list[Because]:
    """The reasons."""
    return list(causes.of(before, after, cause=cause, card=card(), catalogue=book()))


def texts(before: Evaluation | None, after: Evaluation, cause: str = "records.write:utilities") -> list[str]:
    """Their sentences."""
    return [one.text for one in because(before, after, cause)]


class TestRecords:
    """Records that came or went."""

    def test_the_first_of_all(self) -> None:
        """Nothing to compare with."""
        assert texts(None, counted(), "enrolled") == ["开始计分，共110分"]

    def test_one_came(self) -> None:
        """The part, the points, and the record by its name in the catalogue."""
        (one,) = because(counted(), counted(BILL))
        assert one == Because("obligations", 5, "“日常义务按时履行”多0.5分：2026-10 水费按时缴纳计入", ("w",), ())

    def test_many_came(self) -> None:
        """Three are named, all are counted and listed by id."""
        rows = [positive("P04", shift(date(2026, 10, 1), -back), name=f"b{back}") for back in range(5)]
        (one,) = because(counted(), counted(*rows))
        assert (one.change, "等5条计入" in one.text, len(one.came)) == (15, True, 5)

    def test_one_went_with_the_reason_of_then(self) -> None:
        """Hidden, refused, revoked: each in its words."""
        for cause, words in (
            ("hidden", "您让它不计分"),
            ("refused:P01", "不再让这类"),
            ("records.revoke:x", "撤销了"),
            ("records.withdraw:x", "整批"),
        ):
            (one,) = because(counted(BILL), counted(), cause)
            assert (one.went, words in one.text) == (("w",), True)

    def test_shown_again(self) -> None:
        """It counts once more."""
        assert texts(counted(), counted(BILL), "shown") == ["“日常义务按时履行”多0.5分：2026-10 水费按时缴纳重新计分"]

    def test_a_deduction_that_came(self) -> None:
        """It takes its points, its clean year, and here the tier."""
        assert texts(counted(), counted(FINE)) == [
            "“没有扣分记录的年度”少2分：2026-06-01 一般行政处罚计入",
            "“一般行政处罚”少5分：2026-06-01 一般行政处罚计入",
            "等级由“铜”变为“基础”",
        ]

    def test_what_stands_inside_a_record_changed(self) -> None:
        """The same record with other hours: nothing came and nothing went."""
        rows = [positive("P08", date(2026, 10, 1), name="h", quantity=hours) for hours in (3, 8)]
        (one,) = because(counted(rows[0]), counted(rows[1]))
        assert one.text == "“志愿服务时长”多1分：按新的内容或规则重新计算"


class TestDate:
    """What the day alone did."""

    def test_a_month_left_its_window(self) -> None:
        """The record is named with the window that it left."""
        later = shift(date(2026, 10, 1), 24)
        assert texts(counted(BILL), counted(BILL, on=later), "date") == [
            "“日常义务按时履行”少0.5分：2026-10 水费按时缴纳超出了24个月的期限"
        ]

    def test_a_deduction_is_over(self) -> None:
        """By its day, which is named."""
        found = texts(counted(FINE), counted(FINE, on=date(2027, 6, 1)), "date")
        assert "“一般行政处罚”多5分：2026-06-01 一般行政处罚到2027-06-01为止，不再影响" in found

    def test_five_years_after_the_act(self) -> None:
        """The hard stop ends it, even where nothing else does."""
        fine = negative("N01", date(2026, 6, 1), None, name="n", act=date(2022, 1, 1))
        found = texts(counted(fine), counted(fine, on=date(2027, 1, 1)), "date")
        assert any("2022-01-01 一般行政处罚超出了5年的期限" in one for one in found)

    def test_one_more_clean_year(self) -> None:
        """The same deduction, a year further on: no record came or went."""
        old = negative("N05", AS_OF - timedelta(days=700), None, name="a")
        before, after = counted(old), counted(old, on=AS_OF + timedelta(days=60))
        assert texts(before, after, "date") == ["“没有扣分记录的年度”少2分：随日期重新计算清白年度"]

    def test_a_deduction_that_begins(self) -> None:
        """Arrears count after ninety days."""
        begins = negative("N05", AS_OF + timedelta(days=5), None, name="a")
        found = texts(counted(begins), counted(begins, on=AS_OF + timedelta(days=5)), "date")
        assert any("公用事业欠费开始影响" in one for one in found)


class TestWhole:
    """The tier, the caps and the rules."""

    def test_a_listing_holds_the_tier_and_lets_it_go(self) -> None:
        """No points move, and the record is named."""
        held = because(counted(), counted(LISTED))
        assert [(one.part, one.came) for one in held] == [("tier", ("l",))]
        assert held[0].text.startswith("等级暂按“基础”显示：")
        free = texts(counted(LISTED), counted(LISTED, on=date(2026, 12, 1)), "date")
        assert free == ["等级恢复为“铜”：2026-06-01 列入失信被执行人名单到2026-12-01为止，不再影响"]

    def test_a_full_dimension_is_told(self) -> None:
        """Three honours give 26 inside a dimension of 25."""
        rows = [positive(kind, date(2026, 1, 1), name=kind, level=4) for kind in ("P13", "P14", "P15")]
        assert "“荣誉贡献”一共最多25分，超出的部分不计" in texts(counted(*rows[:2]), counted(*rows))

    def test_the_cap_of_deductions_and_the_end_of_the_scale_are_told(self) -> None:
        """Sixty points at most."""
        kinds = ("N02", "N02", "N04", "N04", "N01", "N01", "N01")
        rows = [negative(kind, date(2026, 6, 1), None, name=f"n{n}") for n, kind in enumerate(kinds)]
        assert "各项扣分合计有上限，超出的部分不扣" in texts(counted(*rows[:4]), counted(*rows))
        low = msgspec.structs.replace(counted(FINE), raw=-10, points=0)
        assert "总分不会低于最低分，也不会高于最高分" in texts(counted(), low)

    def test_another_scorecard_is_told_first(self) -> None:
        """And what it counts otherwise, also a part that the old one did not have."""
        text = (POLICY.parent / "tests" / "policy" / "old" / "2025-07-01.toml").read_text(encoding="utf-8")
        old = evaluate.compile(scorecard.load(text, "old"))(facts([BILL]), ADULT, AS_OF)
        found = because(old, counted(BILL), "date")
        assert (found[0].part, found[0].text) == ("rules", "评分规则由2025-07-01版改为2026-01-01版")
        assert {"obligations", "bills", "clean"} <= {one.part for one in found}

    def test_a_kind_that_no_catalogue_names_any_more(self) -> None:
        """Its day and code stand for it."""
        bare = msgspec.structs.replace(book(), kinds={})
        (one,) = causes.of(counted(), counted(BILL), cause="x", card=card(), catalogue=bare)
        assert "2026-10-01 P01" in one.text

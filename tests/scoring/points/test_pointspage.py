"""docs/points.zh.md says what the rules and the evaluator do."""

import re

import pytest

from scoring.points import cases
from tests.rulebook import book
from tests.scoring.points import pointspage
from tests.scoring.points.pointspage import PAGE, RULES

ANEW = "python -m tests.scoring.points.pointspage"
TEXT = PAGE.read_text(encoding="utf-8")
PLAIN = re.sub(r"\n +", "", TEXT)
NOTHING = '[expect]\npoints = 0\ntier = ""'


def points(record: str, *, as_of: str = "2026-11-22", born: str = "1990-05-01") -> float:
    """The points of somebody with these records and no other."""
    head = f'title = "一"\nsituation = "二"\nas_of = {as_of}\nborn = {born}\n'
    return cases.read(f"{head}{record}\n{NOTHING}", "x.toml", RULES).evaluation.points / 10


def water(day: str) -> str:
    """A water bill kept."""
    return f'[[record]]\nkind = "P01"\non = {day}'


def hour(day: str) -> str:
    """One hour of volunteering."""
    return f'[[record]]\nkind = "P08"\non = {day}'


def penalty(kind: str, act: str, effective: str) -> str:
    """A penalty that was served on the day it took effect."""
    return f'[[record]]\nkind = "{kind}"\non = {act}\neffective_on = {effective}\nserved_on = {effective}'


class TestPage:
    """What is made from the rules."""

    def test_tables_and_examples_are_what_the_rules_give(self) -> None:
        """After a change of rules the page is made anew."""
        assert pointspage.page(TEXT) == TEXT, ANEW

    def test_every_part_has_its_place(self) -> None:
        """Between a mark with its name and the next end."""
        assert re.findall(r"<!-- (?!完)(.+?) -->", TEXT) == [
            "版本", "等级", "加分", "级别", "扣分", "一项处罚", "修复", "例子一", "例子二",
        ]  # fmt: skip

    def test_the_pages_lead_to_each_other(self) -> None:
        """Whoever opens the wrong one is one step from the right one."""
        assert "(rules.zh.md)" in TEXT
        assert "(points.zh.md)" in (PAGE.parent / "rules.zh.md").read_text(encoding="utf-8")


class TestSentences:
    """What is said in words, with its days, the evaluator does."""

    def test_months_are_whole_and_this_one_counts(self) -> None:
        """The last 24, this one included, however far it has come."""
        assert "最近24个月是2024年12月到2026年11月" in PLAIN
        assert [points(water(day)) for day in ("2024-11-30", "2024-12-01", "2026-11-22")] == [110, 110.5, 110.5]
        assert points(water("2024-12-31"), as_of="2026-11-01") == 110.5

    def test_days_are_counted_to_both_ends(self) -> None:
        """The day two years ago does not count, the next one does."""
        assert "最近24个月从2024年11月23日起，到2026年11月22日为止，两头都算" in PLAIN
        assert [points(hour(day)) for day in ("2024-11-22", "2024-11-23", "2026-11-22")] == [110, 110.2, 110.2]

    def test_ninety_days_begin_after_the_first(self) -> None:
        """The ninetieth is a day of deduction."""
        assert "2026年10月1日起欠，到12月30日满90天" in PLAIN
        owed = '[[record]]\nkind = "N05"\non = 2026-11-01\nfields = {since = 2026-10-01}'
        assert [points(owed, as_of=f"2026-12-{day}") for day in (29, 30)] == [110, 106]

    @pytest.mark.parametrize(
        ("sentence", "record", "last", "first"),
        [
            (
                "2026年6月1日生效、显示期12个月的，自2027年6月1日起不再扣",
                penalty("N01", "2026-05-10", "2026-06-01"),
                "2027-05-31",
                "2027-06-01",
            ),
            (
                "2021年11月23日的行为，自2026年11月23日起不再扣，显示期没满也不再扣",
                penalty("N02", "2021-11-23", "2024-06-01"),
                "2026-11-22",
                "2026-11-23",
            ),
        ],
    )
    def test_the_day_of_an_end_is_free(self, sentence: str, record: str, last: str, first: str) -> None:
        """And the day before is not; the clean years are back the same day."""
        assert sentence in PLAIN
        assert points(record, as_of=last) < points(record, as_of=first) == 110

    def test_one_year_is_lost_once(self) -> None:
        """Two penalties of one year cost one clean year."""
        assert "两条记录占了同一个年度，只少一个" in PLAIN
        two = "\n".join(penalty("N01", "2026-05-10", f"2026-0{month}-01") for month in (6, 7))
        assert points(two) == 110 - 5 - 5 - 2

    def test_eighteen_begins_with_a_day_and_a_whole_month(self) -> None:
        """Of who was born on 29 February, with the 28th, since that year has no 29th."""
        assert "按2月28日满18岁" in PLAIN
        assert points(hour("2026-02-28"), born="2008-02-29") == 110.2
        assert f"未满{book().adult_age}岁时的事" in PLAIN
        assert "从下一个整月起算；生日是1日的，当月就算" in PLAIN
        born = {"2008-02-10": "2026-02-20", "2008-02-11": "2026-03-01", "2008-03-01": "2026-03-31"}
        assert [points(water(day), born=birthday) for birthday, day in born.items()] == [110, 110.5, 110.5]

    def test_what_can_be_reached_is_told_to_editors_too(self) -> None:
        """In both languages, beside the bounds of the scale."""
        least, most = pointspage.SHEET.least, pointspage.SHEET.most
        assert f"实际只会在{least}到{most}之间" in (PAGE.parent / "rules.zh.md").read_text(encoding="utf-8")
        told = f"nobody has less than {least[:-1]} or more than {most[:-1]}"
        assert told in (PAGE.parent / "rules.md").read_text(encoding="utf-8")

    def test_what_is_off_is_named(self) -> None:
        """Kinds that the catalogue does not let in."""
        off = "、".join(kind.name for kind in book().kinds.values() if not kind.enabled)
        assert f"- {off}：现在停用" in TEXT

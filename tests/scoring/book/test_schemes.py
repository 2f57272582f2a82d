"""Rural schemes: declared, dated tables, and the row that a grade of a month has in them."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.policyfile import Faulty
from scoring.book import catalogue
from scoring.book.basis import Basis
from scoring.book.catalogue import Catalogue
from scoring.book.fieldcheck import Refused
from scoring.book.lines import Accepted, LineReader, Rejected
from scoring.book.schemes import Scheme, Schemes
from tests.rulebook import text

_FROM = text("catalogue.toml").index("[[scheme]]")
_UNTIL = text("catalogue.toml").index("# 荣誉级别")
_SHIPPED = text("catalogue.toml")[_FROM:_UNTIL]
_FIRST = """[[scheme]]
id = "v"
name = "积分"
declared_by = "村委会"
valid_from = 2026-01-01
valid_until = 2026-06-30
grades = ["一星", "二星", "三星"]
basis = {kind = "demo"}
"""
_NEXT = _FIRST.replace("01-01", "07-01").replace("valid_until = 2026-06-30\n", "").replace('"一星"', '"入门", "一星"')


def book(schemes: str, *, draft: bool = True) -> Catalogue:
    """The shipped catalogue with other schemes."""
    return catalogue.load(text("catalogue.toml").replace(_SHIPPED, schemes + "\n"), "catalogue.toml", draft=draft)


def faults(schemes: str) -> list[str]:
    """What is wrong with them, and nothing else."""
    with pytest.raises(Faulty) as caught:
        book(schemes)
    return [str(fault) for fault in caught.value.faults]


def row(period: str, grade: object, *, scheme: str = "v", provider: str = "", source: str = "") -> int | str:
    """The row of a grade by two editions, or the code and the detail's subject of its refusal."""
    found = book(_FIRST.replace("basis", f'source = "{source}"\nbasis') if source else _FIRST + _NEXT)
    try:
        return Schemes(found.schemes).row(scheme, period, grade, provider)
    except Refused as refused:
        named = re.match(r"`fields\.(\w+)`", refused.detail)
        return f"{refused.code} {named.group(1) if named else ''}".strip()


def send(period: str, occurred_on: str, grade: str) -> Accepted | Rejected:
    """A whole line of the next year."""
    raw = (
        f'{{"ref": "r", "version": 1, "kind": "P16", "subject": "{"a" * 64}", "occurred_on": "{occurred_on}",'
        f' "fields": {{"scheme": "v", "period": "{period}", "grade": "{grade}"}}}}'
    )
    reader = LineReader(book(_FIRST + _NEXT))
    return reader.read(raw.encode(), permitted=frozenset({"P16"}), received_on=date(2027, 1, 31))


class TestRow:
    """`Schemes.row`."""

    @pytest.mark.parametrize(
        ("period", "grade", "expected"),
        [
            ("2025-12", "一星", "malformed period"),
            ("2025-12", 1, "malformed period"),
            ("2026-01", "一星", 1),
            ("2026-06", "一星", 1),
            ("2026-06", 3, 3),
            ("2026-06", 4, "malformed grade"),
            ("2026-06", 0, "malformed grade"),
            ("2026-06", "入门", "malformed grade"),
            ("2026-06", "3", "malformed grade"),
            ("2026-07", "一星", 2),
            ("2026-07", "入门", 1),
            ("2026-07", 4, 4),
            ("2026-07", 5, "malformed grade"),
            ("2099-12", "三星", 4),
        ],
    )
    def test_the_month_says_which_table(self, period: str, grade: object, expected: int | str) -> None:
        """By name or by row, of the edition of that month alone; before the first there is none."""
        assert row(period, grade) == expected

    @pytest.mark.parametrize("grade", [1, "一星"])
    def test_an_undeclared_scheme_has_no_rows(self, grade: object) -> None:
        """A number needs a declared table as much as a name does."""
        assert row("2026-03", grade, scheme="w") == "malformed scheme"

    @pytest.mark.parametrize(
        ("provider", "expected"),
        [("village", 1), ("", 1), ("other", "kind_not_permitted"), ("villag", "kind_not_permitted")],
    )
    def test_a_scheme_may_name_the_source_that_sends_it(self, provider: str, expected: int | str) -> None:
        """Another source's line is refused; a case or a what-if has no source yet."""
        assert row("2026-03", 1, source="village", provider=provider) == expected

    def test_an_edition_that_ended_is_no_more(self) -> None:
        """A month after the last day has no table."""
        assert row("2026-07", 1, source="village") == "malformed period"

    @given(st.lists(st.text("一二三四五六星级户甲乙丙", min_size=1, max_size=8), min_size=1, max_size=6, unique=True))
    def test_whatever_the_table_a_level_is_its_row(self, names: list[str]) -> None:
        """Row n by its name and by its number, and nothing beside the rows."""
        edition = Scheme("v", "v", "v", "", date(2026, 1, 1), None, tuple(names), Basis("demo", ""))
        rows = range(1, len(names) + 1)
        schemes = Schemes([edition])
        assert [schemes.row("v", "2026-01", name, "") for name in names] == list(rows)
        assert [schemes.row("v", "2026-01", number, "") for number in rows] == list(rows)
        for other in (0, len(names) + 1, "外"):
            with pytest.raises(Refused):
                schemes.row("v", "2026-01", other, "")


class TestLines:
    """A whole line."""

    def test_a_grade_announced_late_is_read_by_its_month(self) -> None:
        """The day of the announcement does not choose the table; a label needs none."""
        found = [send(period, "2026-07-03", "一星") for period in ("2026-06", "2026-07")]
        assert [(one.level, one.label) for one in found if isinstance(one, Accepted)] == [
            (1, "2026-07-03 农村信用积分：第一档"),
            (2, "2026-07-03 农村信用积分：第二档"),
        ]

    def test_a_refusal_tells_the_next_step_and_no_value(self) -> None:
        """The contract's code, the field, the rows there are."""
        found = send("2026-06", "2026-06-30", "六星")
        assert isinstance(found, Rejected)
        assert (found.code, "1 to 3" in found.detail, "六星" in found.detail) == ("malformed", True, False)


class TestFaults:
    """What `catalogue.load` says about a declaration."""

    def test_the_shipped_schemes_have_none(self) -> None:
        """Two editions of the demo village, end to end."""
        assert [one.valid_from for one in book(_SHIPPED).schemes] == [date(2020, 1, 1), date(2026, 1, 1)]

    @pytest.mark.parametrize(
        ("old", "new", "expected"),
        [
            ('"三星"]', '"三星", "四星", "五星", "六星", "七星"]', "at most 6 grades"),
            ('"三星"]', '"一星"]', "each once"),
            ('["一星", "二星", "三星"]', "[]", "says nothing"),
            ('"三星"]', '" 3 "]', "taken for a row"),
            ('"三星"]', '"' + "星" * 33 + '"]', "1 to 32"),
            ("01-01", "01-02", "begins within a month"),
            ("06-30", "06-29", "ends within a month"),
            ("2026-06-30", "9999-12-31", "ends within a month"),
            ("2026-06-30", "2025-12-31", "ends before it begins"),
            ('name = "积分"\n', "", "`name` is missing"),
            ('declared_by = "村委会"\n', "", "`declared_by` is missing"),
            ("valid_from = 2026-01-01\n", "", "`valid_from` is missing"),
            ("valid_until", "valid_to", "`valid_to` means nothing here"),
        ],
    )
    def test_a_faulty_declaration_is_told(self, old: str, new: str, expected: str) -> None:
        """With the file and the line of the scheme."""
        assert old in _FIRST
        first = text("catalogue.toml")[:_FROM].count("\n") + 1
        found = faults(_FIRST.replace(old, new))
        assert len(found) == 1
        assert expected in found[0]
        assert first <= int(found[0].split(":")[1]) <= first + 7

    @pytest.mark.parametrize("until", ["2026-07-31", "2027-06-30", None])
    @pytest.mark.parametrize("swapped", [False, True])
    def test_editions_may_not_overlap(self, until: str | None, *, swapped: bool) -> None:
        """However they stand in the file, the later one is told."""
        first = _FIRST.replace("valid_until = 2026-06-30\n", f"valid_until = {until}\n" if until else "")
        found = faults(_NEXT + first if swapped else first + _NEXT)
        assert len(found) == 1
        assert "`v` begins on 2026-07-01 while another is in force" in found[0]

    def test_other_schemes_may_hold_at_the_same_time(self) -> None:
        """Each village has its own."""
        assert len(book(_FIRST + _FIRST.replace('"v"', '"w"')).schemes) == 2

    def test_a_catalogue_from_before_stays_readable(self) -> None:
        """What was published undated holds for every day; as a draft it would not pass."""
        undated = '[[scheme]]\nid = "v"\ngrades = ["一星"]\nbasis = {kind = "demo"}\n'
        assert Schemes(book(undated, draft=False).schemes).row("v", "1900-01", "一星", "") == 1
        assert len(faults(undated)) == 3

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('{name = "scheme", type = "text", longest = 64}', '{name = "village", type = "text", longest = 64}'),
            ('{name = "grade", type = "grade"}', '{name = "grade", type = "grade", optional = true}'),
        ],
    )
    def test_a_grade_without_its_table_is_a_fault(self, old: str, new: str) -> None:
        """A kind with a grade names its scheme and its month in every line."""
        shipped = text("catalogue.toml")
        assert old in shipped
        with pytest.raises(Faulty, match="A grade of P16 has no table"):
            catalogue.load(shipped.replace(old, new), "catalogue.toml")

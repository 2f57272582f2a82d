"""A table's cells become members, and what a spreadsheet did to them is told."""

from typing import Any

import msgspec
import pytest

from core.settings import ROOT
from scoring.book import catalogue
from scoring.book.lines import Rejected
from scoring.feeds.columns import MOST_COLUMNS, BadHeader, Sheet

BOOK = catalogue.load((ROOT / "policy" / "catalogue.toml").read_text(), "catalogue.toml")
PLAIN = ["ref", "version", "kind", "id_number", "occurred_on"]


def lay(header: list[str], *cells: str) -> Any:
    """What one row becomes."""
    line = Sheet(BOOK, header).text(cells)
    return line if isinstance(line, Rejected) else msgspec.json.decode(line)


class TestText:
    """Rows of texts."""

    def test_a_bill(self) -> None:
        """Numbers and yes get their types, empty cells are left out, dotted names nest."""
        header = [*PLAIN, "fields.period", "fields.on_time", "document.no"]
        line = lay(header, "a", "1", "P01", "x", "2026-01-31", "2026-01", "是", "")
        assert line == {
            "ref": "a", "version": 1, "kind": "P01", "id_number": "x", "occurred_on": "2026-01-31",
            "fields": {"period": "2026-01", "on_time": True},
        }  # fmt: skip

    def test_chinese_names(self) -> None:
        """The catalogue's Chinese names of columns and kinds stand for ours."""
        line = lay(
            ["编号", "版本", "种类", "身份证号", "发生日期", "时长"], "a", "1", "志愿服务时长", "x", "2026-01-31", "3"
        )
        named = next(kind.name for kind in BOOK.kinds.values() if kind.code == "P08")
        assert line["kind"] == ("P08" if named == "志愿服务时长" else "志愿服务时长")
        again = lay(["编号", "版本", "种类", "身份证号", "发生日期", "时长"], "a", "1", named, "x", "2026-01-31", "3")
        assert again["kind"] == "P08"
        assert again["fields"] == {"hours": 3}

    @pytest.mark.parametrize(
        "value", ["2026/1/5", "45321", "5-Oct-26", "2026年1月5日", "2026-1-5", "2026-01-05 00:00:00", "01/05/2026"]
    )
    def test_a_spreadsheets_own_date(self, value: str) -> None:
        """A date as a spreadsheet writes it is refused with what to do, and is not guessed at."""
        line = lay(PLAIN, "a", "1", "P01", "x", value)
        assert isinstance(line, Rejected)
        assert (line.code, line.ref) == ("malformed", "a")
        assert "as text YYYY-MM-DD" in line.detail
        assert value not in line.detail

    def test_a_spreadsheets_own_month(self) -> None:
        """The same of a month."""
        line = lay([*PLAIN, "fields.period"], "a", "1", "P01", "x", "2026-01-31", "Jan-26")
        assert isinstance(line, Rejected)
        assert "as text YYYY-MM." in line.detail

    def test_a_rounded_id_number(self) -> None:
        """An ID number that a spreadsheet has rounded is a bad one."""
        line = lay(PLAIN, "a", "1", "P01", "9.90001E+17", "2026-01-31")
        assert isinstance(line, Rejected)
        assert line.code == "bad_id_number"

    @pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
    def test_a_formula(self, value: str) -> None:
        """A cell that a spreadsheet would run is refused."""
        line = lay([*PLAIN, "fields.account"], "a", "1", "P01", "x", "2026-01-31", value)
        assert isinstance(line, Rejected)
        assert "formula" in line.detail

    def test_too_many_cells(self) -> None:
        """A row of another length than the header is refused alone."""
        line = lay(PLAIN, "a", "1", "P01", "x", "2026-01-31", "more")
        assert isinstance(line, Rejected)

    def test_nothing_in_it(self) -> None:
        """A row of empty cells is blank, as a blank line is."""
        assert Sheet(BOOK, PLAIN).text(["", " ", "", "", ""]) == b""

    @pytest.mark.parametrize("name", ["colour", "fields.colour", "income", "fields.血型", "a.b.c"])
    def test_a_column_that_nobody_knows(self, name: str) -> None:
        """It is passed on by its name, so that the line is refused, and its values go no further."""
        line = Sheet(BOOK, [*PLAIN, name]).text(["=a", "1", "P01", "x", "45321", "canary-value"])
        assert isinstance(line, bytes)
        assert b"canary" not in line
        assert name.rpartition(".")[2].encode() in line


class TestHeader:
    """The names of the columns."""

    @pytest.mark.parametrize(
        ("header", "code"),
        [
            (["ref"], "missing_column"),
            ([*PLAIN, ""], "unnamed_column"),
            ([*PLAIN, "编号"], "repeated_column"),
            ([*PLAIN[:3], "occurred_on"], "missing_column"),
            ([*PLAIN, *(f"fields.x{n}" for n in range(MOST_COLUMNS))], "too_many_columns"),
            (["a1", "1", "P01", "990000199001010017", "2026-01-01"], "missing_column"),
        ],
    )
    def test_what_cannot_be_read(self, header: list[str], code: str) -> None:
        """A table whose columns are not named is refused whole, and no cell of it is repeated."""
        with pytest.raises(BadHeader) as refused:
            Sheet(BOOK, header)
        assert code in {each.code for each in refused.value.errors}
        assert "990000" not in str(refused.value.errors)

"""CSV and Parquet come to the same records, codes and receipts as NDJSON."""

import io
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Malformed, TooLarge
from core.settings import ROOT
from scoring.book import catalogue
from scoring.book.lines import Rejected
from scoring.feeds import csvfile, forms, parquetfile, parquetreader
from scoring.feeds.columns import BadHeader
from scoring.ingest import Receipt, TooManyLines
from tests.scoringworld import TODAY, City, id_number, in_pieces, month, penalty, water

ANN, BOB = id_number(1), id_number(2)
YOUNG = id_number(3, TODAY.replace(year=TODAY.year - 17, day=1))
BOOK = catalogue.load((ROOT / "policy" / "catalogue.toml").read_text(), "catalogue.toml")
HEADER = "ref,version,kind,id_number,occurred_on,fields.account,fields.period,fields.on_time"


def bill(ref: str, who: str, *, back: int = 1, on_time: str = "true", account: str = "a1", version: str = "1") -> str:
    """A water bill as a line of CSV."""
    return f"{ref},{version},P01,{who},{month(back)}-01,{account},{month(back)},{on_time}"


async def send(city: City, body: bytes, form: forms.Form = "csv", **more: Any) -> Receipt:
    """Give a body to the city as `utilities`."""
    return await forms.receive(city.doors, source=city.source("utilities"), body=in_pieces(body, 37), form=form, **more)


async def rows_of(body: bytes, size: int = 11, **more: Any) -> list[Any]:
    """The rows of a CSV file."""
    return [row async for row in csvfile.rows(in_pieces(body, size), catalogue=BOOK, **more)]


def parquet(columns: dict[str, Any], **how: Any) -> bytes:
    """A Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **how)
    return out.getvalue()


def bills(*who: str, **more: Any) -> dict[str, Any]:
    """Columns of water bills."""
    return {
        "ref": [f"r{n}" for n, _ in enumerate(who)],
        "version": [1] * len(who),
        "kind": ["P01"] * len(who),
        "id_number": list(who),
        "occurred_on": [date.fromisoformat(f"{month(1)}-01")] * len(who),
        "fields.account": ["a"] * len(who),
        "fields.period": [month(1)] * len(who),
        "fields.on_time": [True] * len(who),
        **more,
    }


class TestSame:
    """One rule book for every form."""

    async def test_records_and_receipts(self, city: City) -> None:
        """The same lines give the same records, the same rejections with the same codes, in all three forms."""
        await city.join(ANN)
        lines = [water("r0", ANN), water("r1", BOB), water("r2", YOUNG), water("r3", "990000199001010000")]
        said = (await city.push(*lines)).rejected
        stored = await city.rows("select id, kind, occurred_on, quantity from scoring.record")
        await city.rows("delete from scoring.record")
        text = "\n".join([HEADER, *(bill(f"r{n}", line["id_number"]) for n, line in enumerate(lines))])
        columns = parquet(bills(*(one["id_number"] for one in lines)))
        for body, form, first in ((text.encode(), "csv", 1), (columns, "parquet", 0)):
            receipt = await send(city, body, form)
            assert (receipt.received, receipt.accepted) == (4, 2)
            assert [(one.line - first, one.ref, one.code) for one in receipt.rejected] == [
                (one.line, one.ref, one.code) for one in said
            ]
            assert await city.rows("select id, kind, occurred_on, quantity from scoring.record") == stored
            await city.rows("delete from scoring.record")

    async def test_a_penalty(self, city: City) -> None:
        """Documents and notices come as dotted columns, and a penalty without a notice is refused."""
        await city.join(ANN)
        line = penalty("n1", ANN)
        flat: dict[str, Any] = {}
        for name, value in line.items():
            flat |= (
                {f"{name}.{key}": inner for key, inner in value.items()} if isinstance(value, dict) else {name: value}
            )
        text = ",".join(flat) + "\n" + ",".join(str(value) for value in flat.values())
        without = ",".join(flat) + "\n" + ",".join("" if k.startswith("notice") else str(v) for k, v in flat.items())
        assert [one.code for one in (await send(city, without.encode())).rejected] == ["missing_notice"]
        assert (await send(city, text.encode())).rejected == ()
        assert await city.points(ANN) == (await city.score(ANN)).points
        assert len(await city.rows("select from scoring.record where kind = 'N01'")) == 1


class TestCsv:
    """What a bureau's export looks like."""

    @pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    async def test_charsets(self, charset: str, end: str) -> None:
        """UTF-8 with and without its mark and GB18030 are found out, in pieces of any size."""
        text = end.join(["编号,版本,种类,身份证号,发生日期,户号", "a,1,P01,x,2026-01-31,桂花路一号", ""])
        for size in (1, 2, 3, 10_000):
            ((number, line),) = await rows_of(text.encode(charset), size)
            assert number == 2
            assert "桂花路一号" in line.decode()

    async def test_found_late(self) -> None:
        """Chinese far behind a plain beginning is found out, too."""
        text = "\n".join([HEADER, *(bill(f"r{n}", ANN) for n in range(1500)), bill("z", ANN, account="桂花路一号")])
        assert len(text) > 2 * csvfile._HEAD // 2
        found = await rows_of(text.encode("gb18030"), 5000)
        assert "桂花路一号" in found[-1][1].decode()

    async def test_one_spoilt_line(self) -> None:
        """One line that is not UTF-8 does not make the others GB18030; it alone is refused."""
        good = bill("a", ANN, account="桂花路").encode()
        found = await rows_of(b"\n".join([HEADER.encode(), good, bill("b", ANN).encode() + b"\xff\xfe", good]), 5000)
        assert ["桂花路" in line.decode() if isinstance(line, bytes) else line.code for _, line in found] == [
            True, "malformed", True,
        ]  # fmt: skip

    async def test_said(self) -> None:
        """A charset that is said is believed."""
        text = "编号,版本,种类,身份证号,发生日期\n联通,1,P01,x,2026-01-31"
        ((_, line),) = await rows_of(text.encode("gb18030"), charset="gb18030")
        assert "联通" in line.decode()

    async def test_an_open_quote_spoils_its_own_line(self, city: City) -> None:
        """A quote left open does not swallow the lines behind it; line numbers are the file's, blank lines counted."""
        await city.join(ANN)
        text = "\n".join([HEADER, bill("a", ANN), bill("b", ANN, account='"open'), "", bill("c", ANN, back=2)])
        receipt = await send(city, text.encode())
        assert (receipt.received, receipt.accepted) == (3, 2)
        assert [(one.line, one.code) for one in receipt.rejected] == [(3, "malformed")]

    async def test_quoted_cells(self) -> None:
        """A comma and a doubled quote inside a quoted cell are part of it; other separators are found out."""
        ((_, line),) = await rows_of((HEADER + "\n" + bill("a", ANN, account='"a,""b"')).encode())
        assert b'a,\\"b' in line
        ((_, line),) = await rows_of((HEADER + "\n" + bill("a", ANN)).replace(",", ";").encode())
        assert b'"ref":"a"' in line

    async def test_a_giant_cell(self, city: City) -> None:
        """A cell beyond any record's size is refused with its line, the next line is taken."""
        await city.join(ANN)
        text = "\n".join([HEADER, bill("a", ANN, account="x" * 100_000), bill("b", ANN)])
        receipt = await send(city, text.encode())
        assert [(one.line, one.code) for one in receipt.rejected] == [(2, "malformed")]
        assert receipt.accepted == 1

    @pytest.mark.parametrize("body", [b"", b"\n\n", "ref,kind".encode("utf-16"), b"\xff\xff\xff\nx"])
    async def test_no_header(self, body: bytes) -> None:
        """A file that does not name its columns is refused whole."""
        with pytest.raises(BadHeader):
            await rows_of(body, charset="utf-8" if body.startswith(b"\xff\xff") else "")

    @settings(max_examples=60, deadline=None)
    @given(body=st.binary(max_size=400), size=st.integers(1, 50))
    async def test_any_bytes(self, body: bytes, size: int) -> None:
        """Whatever comes after a good header ends in rows or refusals, never in a fault."""
        for _, line in await rows_of(HEADER.encode() + b"\n" + body, size):
            assert isinstance(line, bytes | Rejected)


class TestParquet:
    """A file whose end comes first."""

    async def test_strict_types(self, city: City) -> None:
        """A text where a number belongs is refused with its row; rows count from 1."""
        await city.join(ANN)
        receipt = await send(city, parquet(bills(ANN, BOB, version=["1", "1"])), "parquet")
        assert [(one.line, one.code) for one in receipt.rejected] == [(1, "malformed"), (2, "malformed")]

    @pytest.mark.parametrize(
        "column",
        [[1.5], [datetime(2026, 1, 1)], [{"period": "2026-01"}], [["x"]], [b"bytes"]],  # noqa: DTZ001  (a naive column)
    )
    async def test_types_of_no_member(self, column: list[Any]) -> None:
        """Fractions, times of day and nested values are refused by column, before any row is read."""
        with pytest.raises(BadHeader):
            await _all(parquet(bills(ANN, **{"fields.period": column})))

    @pytest.mark.parametrize("body", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1", b"\x00" * 5000])
    async def test_no_parquet(self, body: bytes) -> None:
        """What is no Parquet file is said to be none."""
        with pytest.raises(Malformed):
            await _all(body)

    async def test_cut(self) -> None:
        """A half-written file has no footer and is refused whole."""
        with pytest.raises(Malformed):
            await _all(parquet(bills(*[ANN] * 100))[:-20])

    async def test_swelling(self) -> None:
        """A file that swells beyond what is read is refused by its footer."""
        many = bills(*[ANN] * 40, **{"fields.account": ["x" * (8 << 20)] * 40})
        body = parquet(many, use_dictionary=False, compression="zstd")
        assert len(body) < 1 << 20
        with pytest.raises(TooLarge):
            await _all(body)

    async def test_too_many_rows(self) -> None:
        """More rows than a push may hold are refused by the footer."""
        with pytest.raises(TooManyLines):
            await _all(parquet({"ref": pa.nulls(parquetreader.MOST_ROWS)}))

    async def test_the_limit_of_bytes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The body is held in memory, so it is bounded."""
        monkeypatch.setattr(parquetfile, "MOST_BYTES", 100)
        with pytest.raises(TooLarge):
            await _all(parquet(bills(ANN)))

    async def test_a_giant_cell(self) -> None:
        """A cell beyond any record's size is refused with its row alone, even when a dictionary repeats it."""
        rows = await _all(parquet(bills(*[ANN] * 3, **{"fields.account": ["a", "x" * (1 << 20), "b"]})))
        assert [line is None for _, line in rows] == [False, True, False]


async def _all(body: bytes) -> list[Any]:
    return [row async for row in parquetfile.rows(_whole(body), catalogue=BOOK)]


async def _whole(body: bytes) -> AsyncIterator[bytes]:
    yield body

"""CSV from a stream of bytes, in memory that does not grow with the stream (RFC 4180).

One line is one record: no field of a record holds a line break, so a quote that is
left open spoils its own line and never those after it, and the numbers in a receipt are the file's own. UTF-8 with or
without its mark, or GB18030: said by the sender, else found by looking at the beginning.
"""

import csv
from collections.abc import AsyncIterator

from core import ndjson
from core.errors import FieldError
from scoring.book.catalogue import Catalogue
from scoring.book.lines import Rejected
from scoring.feeds.columns import BadHeader, Sheet
from scoring.ingest import LONGEST_LINE, MOST_BYTES, Row

_HEAD = 1 << 16
_MARK = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ",;\t"
CHARSETS = {"": "", "utf-8": "utf-8", "utf8": "utf-8", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030"}


async def rows(body: AsyncIterator[bytes], *, catalogue: Catalogue, charset: str = "") -> AsyncIterator[Row]:
    """Every line after the header as a source line in JSON, or why it is none.

    `charset` is a value of CHARSETS, empty when it is to be found. Raises BadHeader, TooLarge.
    """
    head, rest = await _head(ndjson.bounded(body, limit=MOST_BYTES))
    if head.startswith(_UTF16):
        raise _no_header("The file is in UTF-16. Export it as CSV UTF-8.")
    marked = head.startswith(_MARK)
    charset = "utf-8" if marked else charset or _charset(head)
    sheet, delimiter, number = None, ",", 0
    async for raw in ndjson.lines(_joined(head[3:] if marked else head, rest), longest=LONGEST_LINE):
        number += 1
        if not charset and raw and not raw.isascii():
            charset = _charset(raw)
        line = _text(raw, charset)
        if line == "":
            continue
        if sheet is None:
            if isinstance(line, Rejected):
                raise _no_header(line.detail)
            delimiter = max(_DELIMITERS, key=line.count)
            sheet = Sheet(catalogue, _cells(line, delimiter) or [])
            continue
        yield number, line if isinstance(line, Rejected) else _row(sheet, line, delimiter)
    if sheet is None:
        raise _no_header("The file is empty.")


def _row(sheet: Sheet, line: str, delimiter: str) -> bytes | Rejected:
    cells = _cells(line, delimiter)
    if cells is None:
        return Rejected("malformed", "A quote is left open, or stands inside a cell. Correct it and resend.")
    return sheet.text(cells)


def _cells(line: str, delimiter: str) -> list[str] | None:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return None


def _text(raw: bytes | None, charset: str) -> str | Rejected:
    if raw is None:
        return Rejected("malformed", f"The line is longer than {LONGEST_LINE} bytes. Correct it and resend.")
    try:
        return raw.removesuffix(b"\r").decode(charset or "ascii")
    except UnicodeDecodeError:
        return Rejected("malformed", f"The line is not {charset.upper()} text. Correct it, or name the charset.")


def _charset(head: bytes) -> str:
    """What the lines seen are written in: UTF-8 when most that are not plain ASCII can be read so; "" when all are."""
    telling = [line for line in head.split(b"\n") if not line.isascii()]
    if not telling:
        return ""
    readable = sum(_is_utf8(line) for line in telling)
    return "utf-8" if 2 * readable >= len(telling) else "gb18030"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"  # where the part looked at was cut
    return True


async def _head(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    head = b""
    async for chunk in chunks:
        head += chunk
        if len(head) >= _HEAD:
            break
    return head, chunks


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk


def _no_header(detail: str) -> BadHeader:
    return BadHeader(detail, errors=[FieldError("", "no_header", detail)])

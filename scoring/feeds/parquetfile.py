"""Parquet: its footer comes last, so the body is held in memory, bounded; nothing of it is ever written to a disk.

The file is read by a program of its own (`scoring.feeds.parquetreader`), which knows no key and no database and may
take so much memory and time and no more: what a foreign file does there ends there. Row numbers count from 1.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec

from core import ndjson
from core.errors import FieldError, Malformed, Problem, TooLarge
from core.settings import ROOT
from scoring.book.catalogue import Catalogue
from scoring.feeds.columns import BadHeader, Sheet
from scoring.ingest import LONGEST_LINE, Row, TooManyLines

MOST_BYTES = 32 << 20
_LINE = 4 * LONGEST_LINE  # a row as the reader writes it, every character escaped
_PIECE = 1 << 16
_DAMAGED = "The Parquet file could not be read within the limits of memory and time. Send it in smaller parts."


async def rows(body: AsyncIterator[bytes], *, catalogue: Catalogue) -> AsyncIterator[Row]:
    """Every row as a source line in JSON. Raises BadHeader, Malformed, TooLarge, TooManyLines."""
    held = b"".join([chunk async for chunk in ndjson.bounded(body, limit=MOST_BYTES)])
    reader = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "scoring.feeds.parquetreader", cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    feeding = asyncio.create_task(_feed(reader, held))
    try:
        async for row in _rows(reader, catalogue):
            yield row
        if await reader.wait() != 0:
            raise Malformed(_DAMAGED)
    finally:
        feeding.cancel()
        if reader.returncode is None:
            reader.kill()
            await reader.wait()


async def _feed(reader: asyncio.subprocess.Process, held: bytes) -> None:
    """Give the file to the reader, which may end before it has taken all of it."""
    stream = cast("asyncio.StreamWriter", reader.stdin)
    try:
        stream.write(held)
        await stream.drain()
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        stream.close()


async def _rows(reader: asyncio.subprocess.Process, catalogue: Catalogue) -> AsyncIterator[Row]:
    sheet, number = None, 0
    async for raw in ndjson.lines(_pieces(reader), longest=_LINE):
        if raw is None:
            number += 1
            yield number, None
            continue
        said: Any = msgspec.json.decode(raw)
        if isinstance(said, dict):
            raise _fault(cast("dict[str, str]", said))
        if sheet is None:
            sheet = Sheet(catalogue, said)
            continue
        number += 1
        line = sheet.typed(said)
        yield number, None if isinstance(line, bytes) and len(line) > LONGEST_LINE else line


async def _pieces(reader: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    stream = cast("asyncio.StreamReader", reader.stdout)
    while piece := await stream.read(_PIECE):
        yield piece


def _fault(said: dict[str, str]) -> Problem:
    """What the reader found, as the answer to the source."""
    code, detail = said["code"], said["detail"]
    if code == "bad_header":
        return BadHeader(detail, errors=[FieldError("", code, detail)])
    kinds: dict[str, type[Problem]] = {"too_large": TooLarge, "too_many_lines": TooManyLines}
    return kinds.get(code, Malformed)(detail)

"""`osmanthus source drop`: a file that a bureau handed over, taken as if that bureau had pushed it.

For bureaus that cannot call an API. The form goes by the file's ending; a name that begins with a dot or ends otherwise
is not read, so a file still being written is safe under such a name. Repeating a drop changes nothing. The file is read
in pieces and left where it is: it holds personal data in plain words, so delete it once the receipt says what you need.
"""

import asyncio
import os
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path

import msgspec

from api import app
from api.deps import House
from api.tool.progress import Bar
from auth import clients, digestkeys
from core import ndjson
from core.errors import FieldError, Invalid, NotFound, Unavailable
from core.settings import Settings
from scoring.feeds import forms
from scoring.feeds.forms import Form
from scoring.ingest import Receipt, Source
from scoring.tally import How

_FORMS: dict[str, Form] = {".ndjson": "ndjson", ".csv": "csv", ".parquet": "parquet"}
_PIECE = 1 << 16
_ID_NUMBER = re.compile(r"[0-9]{15,}")


UNSETTLED = "Somebody was writing to the file. Nothing of it was kept; it is read once it has settled."
NAMING = "Name it *.csv, *.parquet or *.ndjson (.gz allowed), not beginning with a dot."


class NotADrop(Invalid):
    """The file's name does not say how it is to be read."""

    code = "not_a_drop"
    title = "This file cannot be dropped"


class Unread(Unavailable):
    """The file could not be read to its end, or somebody wrote to it meanwhile; nothing of it was kept."""

    code = "unread_file"
    title = "The file could not be read"


def run(settings: Settings, file: Path, source_id: str) -> None:
    """Drop, and print the receipt."""
    receipt = asyncio.run(drop(settings, file, source_id))
    print(msgspec.json.format(msgspec.json.encode(receipt), indent=1).decode())


async def drop(settings: Settings, file: Path, source_id: str) -> Receipt:
    """Take a file as `source_id`'s; returns the receipt. Raises NotADrop, Unread, NotFound and what a push raises."""
    house = app.make_house(settings)
    try:
        return await take(house, file, source_id)
    finally:
        await asyncio.gather(house.short.close(), house.doors.close())


async def take(house: House, file: Path, source_id: str) -> Receipt:
    """The same in a house that is open."""
    form, packed = _read_name(file)
    await app.read_civil_offset(house)
    source = await source_of(house, source_id)
    name = safe_name(file)  # a name is kept, and must name nobody
    with Bar(name) as bar:
        async with aclosing(_pieces(file, bar)) as pieces:
            body = ndjson.inflate(pieces) if packed else pieces
            return await forms.receive(house.doors, source=source, body=body, form=form, how=How("drop", form, name))


async def source_of(house: House, source_id: str) -> Source:
    """The bureau whose files these are. Raises NotFound when it is none, or ended."""
    async with house.doors.work("scorer") as session:
        found = await clients.get(session, source_id)
        keys = await digestkeys.of(session, house.ring, [source_id])
    if found is None or source_id not in keys:
        raise NotFound("There is no live source of this id.")
    return Source(source_id, found.kinds, keys[source_id])


def is_named(file: Path) -> bool:
    """Whether the name says how the file is read."""
    return _form(file)[0] is not None


def safe_name(file: Path) -> str:
    """A file's name as it may be kept and shown: at most 100 characters, "" for one that may name a person."""
    if _ID_NUMBER.search(file.name):
        return ""
    return "".join(letter if letter.isprintable() else "?" for letter in file.name[:100])


def _read_name(file: Path) -> tuple[Form, bool]:
    """The form of a file, and whether it is packed. Raises NotADrop."""
    form, packed = _form(file)
    if form is None or file.name.startswith(".") or file.is_symlink() or not file.is_file():
        raise NotADrop(errors=[FieldError("", "not_a_drop", NAMING)])
    return form, packed


def _form(file: Path) -> tuple[Form | None, bool]:
    packed = file.suffix == ".gz"
    return _FORMS.get((Path(file.stem) if packed else file).suffix), packed


async def _pieces(file: Path, bar: Bar) -> AsyncGenerator[bytes]:
    """The bytes of a file, in pieces; raises Unread when it changes meanwhile, so that no half file is ever merged."""
    try:
        with file.open("rb") as opened:
            before, read = os.fstat(opened.fileno()), 0
            while piece := opened.read(_PIECE):
                read += len(piece)
                bar.step("read", read, before.st_size)
                yield piece
                await asyncio.sleep(0)
            after = os.fstat(opened.fileno())
    except OSError as error:
        detail = f"The file cannot be read: {error.strerror}. Nothing of it was kept."
        raise Unread(detail) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise Unread(UNSETTLED)

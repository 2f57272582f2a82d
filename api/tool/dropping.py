"""`osmanthus source drop`: a file that a bureau handed over, taken as if that bureau had pushed it.

For bureaus that cannot call an API. The form goes by the file's ending; a name that begins with a dot or ends otherwise
is not read, so a file still being written is safe under such a name. Repeating a drop changes nothing. The file is read
in pieces and left where it is: it holds personal data in plain words, so delete it once the receipt says what you need.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from api import app
from auth import clients
from core import ndjson
from core.errors import FieldError, Invalid, NotFound
from core.settings import Settings
from scoring.feeds import forms
from scoring.feeds.forms import Form
from scoring.ingest import Receipt, Source
from scoring.tally import How

_FORMS: dict[str, Form] = {".ndjson": "ndjson", ".csv": "csv", ".parquet": "parquet"}
_PIECE = 1 << 16
_ID_NUMBER = re.compile(r"[0-9]{15,}")


class NotADrop(Invalid):
    """The file's name does not say how it is to be read."""

    code = "not_a_drop"
    title = "This file cannot be dropped"


def run(settings: Settings, file: Path, source_id: str) -> None:
    """Drop, and print the receipt."""
    receipt = asyncio.run(drop(settings, file, source_id))
    print(msgspec.json.format(msgspec.json.encode(receipt), indent=1).decode())


async def drop(settings: Settings, file: Path, source_id: str) -> Receipt:
    """Take a file as `source_id`'s; returns the receipt. Raises NotADrop, NotFound and what a push raises."""
    form, packed = _read_name(file)
    house = app.make_house(settings)
    try:
        await app.read_civil_offset(house)
        async with house.doors.work("scorer") as session:
            found = await clients.get(session, source_id)
            keys = await clients.digest_keys(session, house.ring, [source_id])
        if found is None or source_id not in keys:
            raise NotFound("There is no live source of this id.")
        body = ndjson.inflate(_pieces(file)) if packed else _pieces(file)
        name = "" if _ID_NUMBER.search(file.name) else file.name[:100]  # a name is kept, and must name nobody
        source = Source(source_id, found.kinds, keys[source_id])
        how = How("drop", form, name)
        return await forms.receive(house.doors, source=source, body=body, form=form, how=how)
    finally:
        await asyncio.gather(house.short.close(), house.doors.close())


def _read_name(file: Path) -> tuple[Form, bool]:
    """The form of a file, and whether it is packed. Raises NotADrop."""
    packed = file.suffix == ".gz"
    form = _FORMS.get((Path(file.stem) if packed else file).suffix)
    if form is None or file.name.startswith(".") or file.is_symlink() or not file.is_file():
        advice = "Name it *.csv, *.parquet or *.ndjson (.gz allowed), not beginning with a dot."
        raise NotADrop(errors=[FieldError("", "not_a_drop", advice)])
    return form, packed


async def _pieces(file: Path) -> AsyncIterator[bytes]:
    """The bytes of a file, in pieces."""
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE):
            yield piece
            await asyncio.sleep(0)

"""What a pass from files has done so far, so that it can be killed at any moment and go on.

A folder beside the result holds the manifest and one file for each finished range, which appears whole or not at all.
The manifest names everything that the numbers depend on: the inputs, the scorecard, the day, the engine and its
version. If any of it is another, the folder is emptied and the pass starts anew. Readable by its owner alone; it goes
when the result is there.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from scoring.batch.files import Range
from scoring.batch.sources import ArrowTable, arrow, compute, feather


class Busy(ValueError):
    """Another pass is writing the same result."""


class Manifest(msgspec.Struct, frozen=True):
    """What the finished ranges belong to; `spread` says whether an input had to be sorted into ranges first."""

    records: str
    register: str
    scorecard: str
    as_of: date
    engine: str
    version: str
    ranges: list[Range]
    spread: list[str]


@contextmanager
def folder(out: Path) -> Generator[Path]:
    """Give the folder beside a result, for one pass at a time. Raises Busy."""
    place = out.with_name(out.name + ".parts")
    place.mkdir(mode=0o700, exist_ok=True)
    with (place / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            message = f"Another run is writing {out}. Wait for it, or choose another --out."
            raise Busy(message) from held
        yield place


def resume(place: Path, wanted: Manifest) -> bool:
    """Keep what is there if it belongs to the same pass, else begin anew; says whether it was kept."""
    file = place / "manifest.json"
    told = msgspec.json.encode(wanted)
    if file.exists() and file.read_bytes() == told:
        return True
    for other in place.iterdir():
        if other.is_dir():
            shutil.rmtree(other)
        elif other.name != "lock":
            other.unlink()
    _appear(file, lambda stream: stream.write(told))
    return False


def done(place: Path, number: int) -> bool:
    """Say whether a range is finished."""
    return _part(place, number).exists()


def keep(place: Path, number: int, table: ArrowTable) -> None:
    """Write a finished range; its numbers are small, so to narrow them costs a quarter of compressing them."""
    narrow = arrow.table([_narrow(column) for column in table.columns], table.column_names)
    _appear(_part(place, number), lambda stream: feather.write_feather(narrow, stream, compression="uncompressed"))


def load(place: Path, number: int) -> ArrowTable:
    """Read a finished range; columns of 32 bits may come with fewer."""
    return feather.read_table(_part(place, number))


def mark(place: Path, what: str) -> None:
    """Note that something is finished."""
    _appear(place / f"{what}.done", lambda _: None)


def marked(place: Path, what: str) -> bool:
    """Say whether it was noted."""
    return (place / f"{what}.done").exists()


def _part(place: Path, number: int) -> Path:
    return place / f"part-{number:05}.arrow"


def _narrow(column: Any) -> Any:
    """Give a column of 32 bits in fewer, if they hold all its values."""
    if column.type == arrow.int32() and len(column):
        ends = compute.min_max(column).as_py()
        for fewer in (arrow.int8(), arrow.int16()):
            if max(-ends["min"], ends["max"]) < 1 << fewer.bit_width - 1:
                return column.cast(fewer)
    return column


def _appear(file: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that it is there whole, even after a power cut, or not at all."""
    unfinished = file.with_name(file.name + ".unfinished")
    with unfinished.open("wb") as stream:
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(file)

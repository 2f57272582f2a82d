"""Heads kept outside the database: a file to which every signed head is appended, so that a cut tail is seen.

The file is text: checkpoints one after the other, an empty line between. Put it where the database's administrators
cannot write (another machine's disk, a bucket with object lock); it holds no secret and no personal data. Promises: a
head is on the disk before `append` returns; a head half written by a crash is replaced by the next one.
"""

import fcntl
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

_BLOCK = 65_536
_NOTE = re.compile(r"(?:[^\n]+\n)+\n— [^\n]*\n")
_SIGNED = re.compile("\n\n— [^\n]*\n".encode())


class Cut(Exception):
    """The log in the database is shorter than what was published: it was cut, or an older backup was brought back."""


def read(path: Path) -> list[str]:
    """Every whole note of a file, the oldest first."""
    return _NOTE.findall(path.read_text(encoding="utf-8"))


def last(path: Path) -> int:
    """The size of the newest head in the file; 0 when there is none."""
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return _end(file)[0]


def append(path: Path, notes: Sequence[str]) -> int:
    """Add the notes that are newer than the file's, wait for the disk; the newest size. One process at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size, whole = _end(file)
        file.truncate(whole)
        file.seek(whole)
        for note in notes:
            if (grown := int(note.split("\n", 2)[1])) > size:
                file.write((("\n" if size else "") + note).encode())
                size = grown
        file.flush()
        os.fsync(file.fileno())
        return size


def _end(file: IO[bytes]) -> tuple[int, int]:
    """The size that the last whole head names, and the bytes up to its end; read from the end of the file."""
    length = file.seek(0, os.SEEK_END)
    start = file.seek(max(0, length - _BLOCK))
    tail = file.read()
    found = list(_SIGNED.finditer(tail))
    if not found:
        return 0, 0
    body = tail[: found[-1].start()].rpartition(b"\n\n")[2]
    return int(body.split(b"\n")[1]), start + found[-1].end()


async def newer(connection: Any, size: int) -> list[str]:
    """The notes of the heads over more than `size` leaves. Raises Cut when the newest head is over fewer."""
    held = await connection.fetchval("select max(size) from core.audit_head") or 0
    if held < size:
        message = f"the log holds {held} entries, but a head over {size} was published"
        raise Cut(message)
    rows = await connection.fetch("select note from core.audit_head where size > $1 order by size", size)
    return [row["note"] for row in rows]

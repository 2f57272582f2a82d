"""A gate's usage on paper: an append-only file that survives a power cut, and its upload, which may be repeated.

    usage = Usage("/var/lib/gate")
    usage.keep({"ride": usage.number("gate-7"), ...})   # on disk before the gate opens
    usage.upload(post)                                   # with a line: as often as you like, nothing counts twice

A line that a power cut tore is cut off at the next start: its gate had not opened yet. A file is a day; what was
answered is remembered beside it, and a day is deleted only by `forget`, once all of it was answered. Public domain.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Post = Callable[[bytes], Any]  # sends NDJSON to POST /v1/citycard/rides; returns the answer's JSON, or raises
PIECE = 5_000


class Usage:
    """The usage of one terminal, in a folder of its own."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        """Open the folder, and cut off what the last power cut tore."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._day, self._file = "", -1
        for path in self.days():
            _mend(path)

    def number(self, terminal: str) -> str:
        """A number that no other ride has, of this or another terminal."""
        return f"{terminal}.{secrets.token_hex(8)}"

    def keep(self, ride: dict[str, Any]) -> None:
        """Write a ride; when this returns, it is on disk."""
        day = ride["at"][:10]
        if day != self._day:
            self._open(day)
        os.write(self._file, json.dumps(ride, separators=(",", ":")).encode() + b"\n")
        os.fsync(self._file)

    def kept(self) -> Iterator[dict[str, Any]]:
        """Every ride on file, the oldest day first."""
        for path in self.days():
            yield from (json.loads(line) for line in path.read_bytes().splitlines())

    def days(self) -> list[Path]:
        """The files, the oldest first."""
        return sorted(self.folder.glob("usage-*.ndjson"))

    def upload(self, post: Post, *, again: bool = False) -> list[dict[str, Any]]:
        """Send what was not answered yet, `again` everything; returns what the server would not take."""
        refused: list[dict[str, Any]] = []
        for path in self.days():
            lines = path.read_bytes().splitlines()
            sent = 0 if again else self.sent(path)
            while sent < len(lines):
                piece = lines[sent : sent + PIECE]
                answer = post(b"\n".join(piece))
                refused += answer["rejected"]
                sent += len(piece)
                lay(beside(path), str(max(sent, self.sent(path))).encode())
        return refused

    def sent(self, path: Path) -> int:
        """How many lines of a day were answered."""
        mark = beside(path)
        return int(mark.read_text()) if mark.exists() else 0

    def forget(self, before: str) -> None:
        """Delete days before an ISO day that were answered whole; the one of today stays for what it counts."""
        for path in self.days():
            day = path.stem.removeprefix("usage-")
            if day < before and self.sent(path) == len(path.read_bytes().splitlines()):
                path.unlink()
                beside(path).unlink()

    def _open(self, day: str) -> None:
        if self._file >= 0:
            os.close(self._file)
        path = self.folder / f"usage-{day}.ndjson"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._day = day
        _settle(self.folder)


def _mend(path: Path) -> None:
    """Cut off what stands after the last line end."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)


def beside(path: Path) -> Path:
    """The file that says how much of a day was answered."""
    return path.with_suffix(".sent")


def lay(path: Path, data: bytes) -> None:
    """Replace a file whole: after a power cut it is the old one or the new one."""
    fresh = path.with_suffix(path.suffix + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _settle(path.parent)


def _settle(folder: Path) -> None:
    """Make names of files last as their content does."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

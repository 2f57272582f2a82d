"""The folder of `osmanthus source drop --watch`: which files are whole, whose each one is, and where it goes.

    DIR/bills.csv                          laid down by the bureau
    DIR/.taking/bills.csv                  claimed by the watch; nobody else's any more
    DIR/done/bills.csv, .answer.json       taken, with its receipt beside it; or under refused/ with what was wrong

A file is whole when it has been renamed to its name, or, in a folder of marked files, when `NAME.done` that is no older
lies beside it; and when it looked the same at two looks. Names that begin with a dot are never looked at, and what is
no file of ours stays where it is. Each step is one rename, and the answer is there before the file: whoever is killed
between two steps finds the file where it was left, so none is lost, and an answered one is not taken again. One watch a
folder. Promised on one local file system; not promised: anything about who else can write there.
"""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from core.errors import Conflict, Invalid

Verdict = Literal["done", "refused"]
ANSWER = ".answer.json"
MARK = ".done"
_TAKING = ".taking"
_LOCK = ".watch.lock"
_ROOM = 64 * 1024  # what an answer needs at least, and most need no more


class NotWatchable(Invalid):
    """The folder is none, or not ours to move files in."""

    code = "not_watchable"
    title = "This folder cannot be watched"


class WatchedAlready(Conflict):
    """Another watch works in this folder."""

    code = "watched_already"
    title = "Another watch works in this folder"


class Look(NamedTuple):
    """What a file looks like from outside; the same twice means that nobody wrote in between."""

    inode: int
    size: int
    modified_ns: int


class Folder:
    """One watched folder; `marked` when its bureau cannot rename and lays `NAME.done` beside each file."""

    def __init__(self, place: Path, *, marked: bool = False) -> None:
        """Nothing is touched before `open`."""
        self.place = place
        self._marked = marked
        self._seen: dict[Path, Look] = {}
        self._lock = -1

    def open(self) -> None:
        """Make the folders inside, and be the only watch. Raises NotWatchable, WatchedAlready."""
        if not self.place.is_dir():
            raise NotWatchable("There is no such folder. Make it, and let the bureau write there.")
        for name in (_TAKING, "done", "refused"):
            inside = self.place / name
            try:
                inside.mkdir(mode=0o750, exist_ok=True)
            except OSError as error:
                detail = f"`{name}` cannot be made inside: {error.strerror}. The watch moves files there."
                raise NotWatchable(detail) from error
            if inside.is_symlink() or not os.access(inside, os.W_OK | os.X_OK):
                detail = f"`{name}` inside must be a folder, no link, that this user may write in."
                raise NotWatchable(detail)
        self._lock = os.open(self.place / _TAKING / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o640)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise WatchedAlready("End the other one first; the kernel frees the folder with its process.") from error

    def close(self) -> None:
        """Let others watch."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def ready(self) -> list[Path]:
        """What can be taken at this look: what was claimed before, then what lies whole in the folder, oldest first."""
        now = {file: look for file in (*self._claimed(), *self._laid_down()) if (look := look_at(file)) is not None}
        settled = [file for file, look in now.items() if self._seen.get(file) == look]
        self._seen = now
        return sorted(settled, key=lambda file: (file.parent == self.place, now[file].modified_ns, file.name))

    def claim(self, file: Path) -> Path | None:
        """Make a file ours, for good; None while another of its name is being taken, or when it is gone."""
        if file.parent != self.place:
            return file
        ours = self.place / _TAKING / file.name
        if ours.exists():
            return None
        try:
            file.rename(ours)
        except FileNotFoundError:
            return None
        file.with_name(file.name + MARK).unlink(missing_ok=True)
        return ours

    def answered(self, claimed: Path) -> Path | None:
        """Where a claimed file belongs that was answered before its watch was killed; None for all others."""
        look = look_at(claimed)
        for verdict in ("done", "refused"):
            for target in self._targets(verdict, claimed.name):
                if not target.exists() and look is not None and _of(_answer_to(target)) == look:
                    return target
        return None

    def room(self, claimed: Path) -> None:
        """Have a place for the answer, or raise OSError (a full disk, a missing permission) before a file is taken."""
        for verdict in ("done", "refused"):
            part = self.place / verdict / f".{claimed.name}~9999{ANSWER}.part"
            with part.open("wb") as held:
                os.posix_fallocate(held.fileno(), 0, _ROOM)
            part.unlink()

    def put(self, claimed: Path, verdict: Verdict, said: object) -> Path:
        """Write the answer, then move the file beside it; returns where it is. Nothing there is overwritten."""
        *_, target = self._targets(verdict, claimed.name)
        look = look_at(claimed) or Look(0, 0, 0)
        body = {"file": {"name": claimed.name, **look._asdict()}, "answer": said}
        _write(_answer_to(target), msgspec.json.format(msgspec.json.encode(body), indent=1) + b"\n")
        return self.move(claimed, target)

    def move(self, claimed: Path, target: Path) -> Path:
        """Let go of a file that was answered."""
        claimed.rename(target)
        _sync(target.parent)
        return target

    def _claimed(self) -> Iterator[Path]:
        return (file for file in (self.place / _TAKING).iterdir() if not file.name.startswith("."))

    def _laid_down(self) -> Iterator[Path]:
        """The files in the folder whose name says that they are whole."""
        for file in self.place.iterdir():
            if file.name.startswith(".") or file.name.endswith(MARK):
                continue
            if not self._marked or _is_marked(file):
                yield file

    def _targets(self, verdict: Verdict, name: str) -> Iterator[Path]:
        """The names that files of this name have there, and at the end the first that is free: `bills~2.csv`."""
        stem, dot, endings = name.partition(".")
        number = 1
        while True:
            target = self.place / verdict / (name if number == 1 else f"{stem}~{number}{dot}{endings}")
            yield target
            if not target.exists() and not _answer_to(target).exists():
                return
            number += 1


def look_at(file: Path) -> Look | None:
    """What a plain file looks like now; None for links, folders and pipes, and for what is gone."""
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    plain = file.is_file() and not file.is_symlink()
    return Look(found.st_ino, found.st_size, found.st_mtime_ns) if plain else None


def _is_marked(file: Path) -> bool:
    """Whether the mark was laid down after the last change of the file, so that an old one vouches for nothing."""
    try:
        return file.with_name(file.name + MARK).lstat().st_ctime_ns >= file.lstat().st_ctime_ns
    except FileNotFoundError:
        return False


def _answer_to(target: Path) -> Path:
    return target.with_name(target.name + ANSWER)


def _of(answer: Path) -> Look | None:
    """Which file an answer is about."""
    try:
        return Look(*(msgspec.json.decode(answer.read_bytes())["file"][name] for name in Look._fields))
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return None


def _write(file: Path, body: bytes) -> None:
    """All of it or nothing, also when the power goes."""
    part = file.with_name(f".{file.name}.part")
    with part.open("wb") as held:
        held.write(body)
        held.flush()
        os.fsync(held.fileno())
    part.rename(file)
    _sync(file.parent)


def _sync(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)

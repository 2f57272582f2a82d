"""The epochs file: the keys that wrap personal keys, kept outside every backup of the database.

Form: JSON `{"current": 3, "keys": {"2": base64, "3": base64}, "began": {"2": instant, "3": instant}}`, mode 0600.
Promises: a change is whole or not at all, also through a crash (written beside, synced, renamed); processes that change
it do so in turn; a reader notices a change within a second of its next use; a removed key is overwritten where it lay.
Does not promise that overwriting reaches the medium (flash and copy-on-write keep old blocks), nor that copies of the
file go: docs/keys.md says what the operator does about both.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Generator
from datetime import datetime
from pathlib import Path

import msgspec

from core import clock
from core.errors import Unavailable

_LOOK_SECONDS = 1.0
_READS = 5


class EpochsAway(Unavailable):
    """The epochs file is not there or cannot be read; nothing is opened with what memory still holds."""

    code = "keys_away"
    title = "The keys cannot be read"


class Epochs(msgspec.Struct, frozen=True):
    """What the file holds: 32-byte keys by number, and since when each was current. Secret: never log it."""

    current: int
    keys: dict[int, bytes]
    began: dict[int, datetime] = {}


def make_epochs(path: Path) -> None:
    """Write a first epoch file (mode 0600) unless there is one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _turn(path):
        if not path.exists():
            _replace(path, Epochs(1, {1: os.urandom(32)}, {1: clock.wall()}))


def read(path: Path) -> Epochs:
    """The file as it is now. Raises EpochsAway."""
    for _ in range(_READS):
        try:
            return msgspec.json.decode(path.read_bytes(), type=Epochs)
        except msgspec.DecodeError:  # opened just before it was replaced, read after it was overwritten
            time.sleep(0.01)
        except OSError as error:
            raise EpochsAway("The operator must bring the epochs file back; see docs/keys.md.") from error
    raise EpochsAway("The epochs file is damaged; the operator must bring it back, see docs/keys.md.")


def add(path: Path, number: int | None = None) -> int:
    """Begin a new epoch with a random key; returns the current number. Every older key stays.

    With `number` nothing happens when that epoch has begun already. Raises EpochsAway.
    """
    with _turn(path):
        held = read(path)
        if number is not None and held.current >= number:
            return held.current
        after = held.current + 1
        _replace(path, Epochs(after, held.keys | {after: os.urandom(32)}, held.began | {after: clock.wall()}))
        return after


def remove(path: Path, number: int) -> None:
    """Take an epoch's key out of the file and overwrite the bytes that held it, unless it is gone already.

    Raises ValueError for the current one.
    """
    with _turn(path):
        held = read(path)
        if number not in held.keys:
            return
        if number == held.current:
            message = f"epoch {number} is the current one; begin another first."
            raise ValueError(message)
        keys, began = ({key: one for key, one in of.items() if key != number} for of in (held.keys, held.began))
        with path.open("r+b") as old:
            _replace(path, msgspec.structs.replace(held, keys=keys, began=began))
            _overwrite(old.fileno())


class Watched:
    """The file as this process holds it: read again when it changed, looked at once a second at most."""

    def __init__(self, path: Path) -> None:
        """Reads the file now. Raises EpochsAway."""
        self.path = path
        self._seen = _mark(path)
        self._held = read(path)
        self._looked = time.monotonic()

    def look(self) -> None:
        """Look at the file now, however short ago the last look was. Raises EpochsAway."""
        self._looked -= _LOOK_SECONDS
        self.now()

    def now(self) -> Epochs:
        """What the file holds; the same object until it changes. Raises EpochsAway, then for every use."""
        if (moment := time.monotonic()) - self._looked >= _LOOK_SECONDS:
            if (mark := _mark(self.path)) != self._seen:
                self._held = read(self.path)
                self._seen = mark  # of before the read: a change in between is seen next time
            self._looked = moment
        return self._held


def _mark(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise EpochsAway("The operator must bring the epochs file back; see docs/keys.md.") from error
    return found.st_ino, found.st_mtime_ns, found.st_size


@contextlib.contextmanager
def _turn(path: Path) -> Generator[None]:
    """One process at a time changes the file; what a crash left beside it goes first."""
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError), _beside(path).open("r+b") as left:
            _overwrite(left.fileno())
            _beside(path).unlink()
        yield
    finally:
        os.close(lock)


def _replace(path: Path, held: Epochs) -> None:
    """Write beside, sync, rename, sync the folder: at every moment one whole file bears the name."""
    new = os.open(_beside(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(new, "wb") as file:
        file.write(msgspec.json.encode(held))
        file.flush()
        os.fsync(file.fileno())
    _beside(path).rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _overwrite(descriptor: int) -> None:
    """Blank a file's bytes in place, through to the disk."""
    size = os.fstat(descriptor).st_size
    os.pwrite(descriptor, b" " * size, 0)
    os.fsync(descriptor)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")

"""Where the PostgreSQL of a run of tests keeps its files: in memory, where the machine has room there.

Hundreds of tests begin with a database of their own, which is a copy of a thousand small files: on a disk that is a
third of what they cost. Promises no room: a run on a machine without it, as in a container with the usual 64 MB, uses
the folder for temporary files and takes longer.
"""

import contextlib
import shutil
import tempfile
from pathlib import Path

import psutil

from core import embedded

MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's own; every folder made in it is a 0700 one of a random name
ROOM = 3 << 30  # a worker's fullest moment is a third of this
PREFIX = "osm-test-"


def folder(memory: Path = MEMORY) -> Path:
    """A new folder for one server; what runs that were killed left in memory goes first."""
    sweep(memory)
    has_room = memory.is_dir() and shutil.disk_usage(memory).free >= ROOM
    if has_room:
        with contextlib.suppress(OSError):
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=memory))
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def sweep(memory: Path) -> None:
    """Erase the servers whose owner is dead; another user's are closed to us."""
    for left in memory.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError, embedded.EmbeddedUnavailable):
            if not psutil.pid_exists(int((left / "owner").read_text())):
                embedded.erase(left)
                shutil.rmtree(left, ignore_errors=True)

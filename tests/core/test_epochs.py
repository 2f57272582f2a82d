"""The epochs file changes whole or not at all, and no process goes on with what it no longer holds."""

import contextlib
import json
import multiprocessing
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import epochs
from core.epochs import EpochsAway, Watched, make_epochs
from core.keys import KeyGone, Keyring

MASTER = bytes(range(32))
PLACE = ("table", "column", b"row")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An epochs file of one epoch."""
    make_epochs(path := tmp_path / "epochs.json")
    return path


class TestMake:
    """The first epoch."""

    def test_it_is_private_and_never_overwritten(self, file: Path) -> None:
        """Mode 0600; a second call leaves the keys alone, since they open what is stored."""
        before = file.read_text()
        make_epochs(file)
        assert file.read_text() == before
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_a_file_without_times_is_read(self, file: Path) -> None:
        """The form of before epochs had a beginning."""
        held = json.loads(file.read_text())
        file.write_text(json.dumps({"current": 1, "keys": held["keys"]}))
        assert epochs.read(file).began == {}


class TestAdd:
    """A new epoch."""

    def test_every_older_key_stays(self, file: Path) -> None:
        """The new one is current, numbered on, and the file is as private as before."""
        before = epochs.read(file)
        assert epochs.add(file) == 2
        after = epochs.read(file)
        assert (after.current, after.keys[1]) == (2, before.keys[1])
        assert len(after.keys[2]) == 32
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_two_processes_lose_none(self, file: Path) -> None:
        """Eight at once make eight epochs."""
        with multiprocessing.get_context("spawn").Pool(4) as pool:
            made = pool.map(epochs.add, [file] * 8)
        assert sorted(made) == list(range(2, 10))
        assert sorted(epochs.read(file).keys) == list(range(1, 10))

    def test_a_crash_at_any_step_leaves_one_whole_file(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Cut before each call that touches the disk: the old file or the new one is there, and the next add works."""
        for name in ("open", "fsync", "rename"):
            before = epochs.read(file)
            with monkeypatch.context() as patched, contextlib.suppress(ZeroDivisionError):
                patched.setattr(os, name, _dying(getattr(os, name), unless=f"{file}.lock"))
                epochs.add(file)
                pytest.fail(f"{name} was not called")
            after = epochs.read(file)
            assert before.keys.items() <= after.keys.items()
            epochs.add(file)
            assert not file.with_name("epochs.json.new").exists()


def _dying(real: Any, unless: str) -> Callable[..., Any]:
    """A call that dies, but for the lock's file."""

    def call(*arguments: Any, **options: Any) -> Any:
        if str(arguments[0]) == unless:
            return real(*arguments, **options)
        raise ZeroDivisionError

    return call


class TestRemove:
    """The end of an epoch."""

    def test_the_key_is_blanked_where_it_lay(self, file: Path) -> None:
        """Whoever still has the old file open reads no key in it."""
        epochs.add(file)
        with file.open("rb") as old:
            assert b'"1":' in old.read()
            epochs.remove(file, 1)
            old.seek(0)
            assert old.read().strip() == b""
        assert sorted(epochs.read(file).keys) == [2]

    def test_the_current_one_stays(self, file: Path) -> None:
        """Nothing could be sealed without it."""
        with pytest.raises(ValueError, match="begin another"):
            epochs.remove(file, 1)

    def test_what_a_crash_left_beside_the_file_goes_too(self, file: Path) -> None:
        """A half-made file holds keys; the next change blanks it first."""
        epochs.add(file)
        beside = file.with_name("epochs.json.new")
        beside.write_bytes(file.read_bytes())
        with beside.open("rb") as left:
            epochs.remove(file, 1)
            assert left.read().strip() == b""
        assert not beside.exists()


class TestWatched:
    """What a process holds."""

    def test_it_looks_once_a_second_at_most(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A change is not seen at once, and is seen after a second."""
        now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: now)
        watched = Watched(file)
        epochs.add(file)
        now += 0.9
        assert watched.now().current == 1
        now += 0.1
        assert watched.now().current == 2

    def test_a_file_that_is_gone_is_no_file_to_go_on_with(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Old keys in memory open nothing when their file went away; they do again when it is back."""
        now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: now)
        ring = Keyring(MASTER, file)
        epoch, value = ring.seal_epoch(b"secret", place=PLACE)
        away = file.rename(file.with_name("away"))
        now += 2
        for _ in range(2):
            with pytest.raises(EpochsAway):
                ring.open_epoch(epoch, value, place=PLACE)
        away.rename(file)
        now += 2
        assert ring.open_epoch(epoch, value, place=PLACE) == b"secret"

    def test_another_process_drops_what_was_destroyed(self, file: Path) -> None:
        """A process that opened a value a moment ago cannot open it within a second of the key's end."""
        epoch, value = Keyring(MASTER, file).seal_epoch(b"secret", place=PLACE)
        with subprocess.Popen(
            [sys.executable, "-c", READER, str(file), str(epoch), value.hex()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
        ) as reader:  # fmt: skip
            assert reader.stdin is not None
            assert reader.stdout is not None
            assert reader.stdout.readline() == "secret\n"
            epochs.add(file)
            epochs.remove(file, 1)
            time.sleep(1)  # the promise itself is a second
            reader.stdin.write("again\n")
            reader.stdin.flush()
            assert reader.stdout.readline() == "gone\n"
            reader.stdin.close()


READER = """
import sys
from pathlib import Path
from core.keys import KeyGone, Keyring
ring = Keyring(bytes(range(32)), Path(sys.argv[1]))
def tell():
    try:
        opened = ring.open_epoch(int(sys.argv[2]), bytes.fromhex(sys.argv[3]), place=("table", "column", b"row"))
        print(opened.decode(), flush=True)
    except KeyGone:
        print("gone", flush=True)
tell()
for _ in sys.stdin:
    tell()
"""


class TestKeyring:
    """Epochs through a ring."""

    def test_what_a_destroyed_epoch_sealed_does_not_open(self, file: Path) -> None:
        """KeyGone, while what was sealed anew opens."""
        old = Keyring(MASTER, file).seal_epoch(b"old", place=PLACE)
        epochs.add(file)
        new = Keyring(MASTER, file).seal_epoch(b"new", place=PLACE)
        epochs.remove(file, 1)
        ring = Keyring(MASTER, file)
        assert ring.open_epoch(*new, place=PLACE) == b"new"
        with pytest.raises(KeyGone):
            ring.open_epoch(*old, place=PLACE)

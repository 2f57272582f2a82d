"""The run's servers lie in memory where there is room, and leave nothing there."""

import os
from pathlib import Path

import pytest

from tests import memorydisk


class TestFolder:
    """A new folder for one server."""

    @pytest.mark.parametrize("room", [0, 1 << 62])
    def test_it_is_in_memory_where_there_is_room(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
    ) -> None:
        """With less room than a run may need, it lies among the temporary files."""
        monkeypatch.setattr(memorydisk, "ROOM", room)
        made = memorydisk.folder(tmp_path)
        assert (made.parent == tmp_path) == (room == 0)
        made.rmdir()

    def test_a_machine_without_such_a_disk_uses_another(self, tmp_path: Path) -> None:
        """macOS has none."""
        made = memorydisk.folder(tmp_path / "absent")
        assert made.is_dir()
        made.rmdir()


class TestSweep:
    """What killed runs left."""

    @pytest.mark.parametrize(
        ("owner", "goes"),
        [("2147483647", True), (str(os.getpid()), False), ("", False)],
        ids=["dead", "alive", "starting"],  # a process's number differs between the workers of a run
    )
    def test_only_what_a_dead_process_owned_goes(self, tmp_path: Path, owner: str, *, goes: bool) -> None:
        """A run beside this one keeps its own; who is only starting has written no owner down yet."""
        left = tmp_path / f"{memorydisk.PREFIX}left"
        left.mkdir()
        if owner:
            (left / "owner").write_text(owner)
        memorydisk.sweep(tmp_path)
        assert left.exists() != goes

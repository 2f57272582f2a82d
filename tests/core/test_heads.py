"""The file of heads grows whole head by whole head, and says how far it goes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import checkpoint, heads
from core.checkpoint import Checkpoint

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def note(size: int) -> str:
    """A signed head over so many leaves."""
    return checkpoint.sign(Checkpoint("osmanthus/990000", size, bytes(32), datetime(2026, 1, 1, tzinfo=UTC)), KEY)


class TestFile:
    """Appending and reading."""

    def test_what_is_appended_can_be_read(self, tmp_path: Path) -> None:
        """Note by note, each verifiable as it stands; the end is told without reading the whole."""
        path = tmp_path / "new" / "heads.txt"
        assert heads.last(path) == 0
        assert heads.append(path, [note(3), note(5)]) == 5
        assert heads.append(path, [note(9)]) == 9
        assert heads.read(path) == [note(3), note(5), note(9)]
        assert heads.last(path) == 9
        assert [checkpoint.verify(one, KEY.public_key()).size for one in heads.read(path)] == [3, 5, 9]

    def test_a_head_is_appended_once(self, tmp_path: Path) -> None:
        """Two workers may tell the same head."""
        path = tmp_path / "heads.txt"
        heads.append(path, [note(3), note(5)])
        assert heads.append(path, [note(3), note(5), note(6)]) == 6
        assert heads.append(path, []) == 6
        assert heads.read(path) == [note(3), note(5), note(6)]

    @pytest.mark.parametrize("cut", [1, 20, 60, 130])
    def test_a_head_half_written_is_replaced(self, tmp_path: Path, cut: int) -> None:
        """Wherever the crash was, the next head follows the last whole one."""
        path = tmp_path / "heads.txt"
        heads.append(path, [note(3), note(5)])
        path.write_bytes(path.read_bytes()[:-cut])
        assert heads.last(path) == 3
        assert heads.read(path) == [note(3)]
        assert heads.append(path, [note(5)]) == 5
        assert heads.read(path) == [note(3), note(5)]

"""`osmanthus keys`, as an operator sees it."""

from pathlib import Path

import pytest
import pytest_asyncio

from api import cli
from api.tool import commands, keys
from api.worker import rotation
from auth import citizens
from auth.citizens import Proved
from core import clock, idnumber
from core.keys import Keyring
from core.rotation import EpochInUse, EpochYoung
from tests.epochsworld import MASTER, at_home, copied

NUMBER = idnumber.complete("99000019900101001")


@pytest_asyncio.fixture
async def file(database: str, ring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The epochs file of a city of one citizen, whose settings are in the environment."""
    file = copied(ring.file, tmp_path)
    monkeypatch.setattr(rotation, "_HEARD", rotation.timedelta(0))
    monkeypatch.delenv("REDIS_URL", raising=False)
    for name, value in (
        ("DATABASE_URL", database),
        ("OSMANTHUS_MASTER_KEY", MASTER.hex()),
        ("OSMANTHUS_BASE_URL", "https://credit.example"),
        ("OSMANTHUS_EPOCHS_FILE", str(file)),
    ):
        monkeypatch.setenv(name, value)
    async with at_home(database, file) as house, house.doors.work("auth") as session:
        await citizens.arrive(session, house.ring, proved=Proved("https://id", "s", "安娜", NUMBER, clock.wall()))
    return file


class TestKeys:
    """The commands in the order of a year."""

    async def test_list_rotate_destroy(
        self, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each says what is and what comes next; destroying waits for the grace, and then for nothing."""
        await keys.show()
        assert "1 of keys.person_key" in capsys.readouterr().out
        with pytest.raises(EpochYoung):
            await keys.destroy(1)
        await keys.rotate()
        told = capsys.readouterr()
        assert "Epoch 2 is current" in told.out
        with pytest.raises(EpochYoung, match="from 2"):
            await keys.destroy(1)
        monkeypatch.setenv("OSMANTHUS_EPOCH_GRACE_DAYS", "0")
        await keys.destroy(1)
        await keys.show()
        told = capsys.readouterr()
        assert "epoch 1  destroyed" in told.out
        assert "by system:operator" in told.out
        assert "within 22 days" in told.out

    async def test_dump_and_restore(self, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A dump of mode 0600 that brings the same city back."""
        await keys.dump(dump := tmp_path / "keys.ndjson")
        assert dump.stat().st_mode & 0o777 == 0o600
        await keys.restore(dump)
        assert "0 people kept their points; 0 left since" in capsys.readouterr().out

    def test_every_action_has_its_command(self) -> None:
        """What the help shows is what runs."""
        for words, act in (
            (["list"], commands.keys_list), (["rotate"], commands.keys_rotate),
            (["destroy", "3"], commands.keys_destroy), (["dump", "f"], commands.keys_dump),
            (["restore", "f"], commands.keys_restore),
        ):  # fmt: skip
            assert cli.parser().parse_args(["keys", *words]).run is act

    async def test_in_use_is_refused(self, file: Path, database: str) -> None:
        """An epoch on which somebody hangs is not destroyed by hand either."""
        async with at_home(database, file) as house:
            await rotation.begin(house, by=keys.BY)
            with pytest.raises(EpochInUse, match="rotate"):
                await rotation.destroy(house, 1, by=keys.BY)

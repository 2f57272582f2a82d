"""`osmanthus doctor` finds what is wrong and says what to do."""

import socket
from pathlib import Path

import asyncpg
import pytest

from api.tool import doctor
from api.tool.doctor import Finding
from core import epochs
from core.epochs import make_epochs
from core.postgres import migrate

_FILL = "insert into core.short_claim (key, until) select n::text, now() from generate_series(1, 1000) n"


@pytest.fixture
def settings(database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A deployment's environment that is well."""
    file = tmp_path / "epochs.json"
    make_epochs(file)
    monkeypatch.delenv("REDIS_URL", raising=False)
    for name, value in (
        ("DATABASE_URL", database),
        ("OSMANTHUS_MASTER_KEY", bytes(range(32)).hex()),
        ("OSMANTHUS_BASE_URL", "https://credit.example"),
        ("OSMANTHUS_EPOCHS_FILE", str(file)),
    ):
        monkeypatch.setenv(name, value)
    return monkeypatch


def free_port() -> int:
    """A port that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def faults(port: int | None = None) -> list[Finding]:
    """What is not well."""
    return [finding async for finding in doctor.examine(port or free_port()) if not finding.well]


class TestExamine:
    """One thing broken at a time."""

    async def test_a_deployment_that_is_well_has_no_fault(self, settings: pytest.MonkeyPatch) -> None:
        """Every look is well on a migrated database with armed doors."""
        assert await faults() == []

    async def test_missing_settings_end_the_look(self, settings: pytest.MonkeyPatch) -> None:
        """Nothing more can be looked at, so one fault is told."""
        settings.delenv("DATABASE_URL")
        assert ["DATABASE_URL" in finding.seen for finding in await faults()] == [True]

    async def test_a_database_that_is_away(self, settings: pytest.MonkeyPatch) -> None:
        """The place is named, the password is not."""
        settings.setenv("DATABASE_URL", "postgresql://owner:hunter2@127.0.0.1:1/none")
        found = await faults()
        assert any("no database at 127.0.0.1" in finding.seen for finding in found)
        assert not any("hunter2" in finding.seen + finding.advice for finding in found)

    async def test_a_database_that_was_not_migrated(self, settings: pytest.MonkeyPatch, database: str) -> None:
        """The revisions are told."""
        await migrate.downgrade(database, role_prefix="osmanthus")
        assert any("schema is at nothing" in finding.seen for finding in await faults())

    async def test_a_master_key_that_is_another(self, settings: pytest.MonkeyPatch) -> None:
        """Doors whose passwords do not fit are told as such."""
        settings.setenv("OSMANTHUS_MASTER_KEY", "ff" * 32)
        assert ["short-lived store" in finding.seen for finding in await faults()] == [True]

    async def test_a_city_that_a_variable_calls_a_sandbox(self, settings: pytest.MonkeyPatch) -> None:
        """Its database was not created as one, and that is told with the way out."""
        settings.setenv("OSMANTHUS_SANDBOX", "1")
        assert ["never becomes one" in finding.advice for finding in await faults()] == [True]

    async def test_tables_that_were_never_looked_at(self, settings: pytest.MonkeyPatch, database: str) -> None:
        """As after a restore: they are named until PostgreSQL has looked, and that is no fault: it will by itself."""
        for statement, named in ((_FILL, True), ("analyze core.short_claim", False)):
            owner = await asyncpg.connect(database)
            await owner.execute(statement)
            await owner.close()  # what it did is counted by now
            seen = [finding.seen async for finding in doctor.examine(free_port()) if "looked at" in finding.seen]
            assert ["core.short_claim" in one for one in seen] == [named]
            assert await faults() == []

    async def test_roles_that_are_not_there(self, settings: pytest.MonkeyPatch) -> None:
        """A role prefix without roles is told with the missing names."""
        settings.setenv("OSMANTHUS_ROLE_PREFIX", "elsewhere")
        assert any("elsewhere_partner" in finding.advice for finding in await faults())

    async def test_epoch_keys_that_others_may_read(self, settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """The mode is told with the command that mends it."""
        (tmp_path / "epochs.json").chmod(0o644)
        assert ["chmod 600" in finding.advice for finding in await faults()] == [True]

    async def test_epoch_keys_that_are_gone(self, settings: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Without them nothing sealed can be opened."""
        (tmp_path / "epochs.json").unlink()
        assert any("no epoch keys" in finding.seen for finding in await faults())

    async def test_a_redis_that_is_away(self, settings: pytest.MonkeyPatch) -> None:
        """With REDIS_URL the store is looked for there."""
        settings.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
        assert any("Redis does not answer" in finding.seen for finding in await faults())

    async def test_a_port_in_use(self, settings: pytest.MonkeyPatch) -> None:
        """The port is looked at where `serve` would listen."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            found = await faults(other.getsockname()[1])
        assert ["Address already in use" in finding.seen for finding in found] == [True]

    async def test_a_database_that_hangs_on_a_destroyed_epoch(
        self, settings: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A restored database says what to do before its doors open."""
        epochs.add(tmp_path / "epochs.json")
        assert ["does not know epoch 2" in finding.seen for finding in await faults()] == [True]
        epochs.remove(tmp_path / "epochs.json", 1)
        (found,) = await faults()
        assert "epoch 1, whose key is no more" in found.seen
        assert "keys restore" in found.advice

    async def test_it_tells_within_how_many_days_somebody_is_forgotten(self, settings: pytest.MonkeyPatch) -> None:
        """The number follows the settings."""
        for days, told in (("14", 24), ("30", 40)):
            settings.setenv("OSMANTHUS_EPOCH_DAYS", days)
            seen = [finding.seen async for finding in doctor.examine(free_port())]
            assert any(f"within {told} days" in one for one in seen)

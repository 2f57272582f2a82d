"""The demo's ground: what is made, kept, made anew, and refused."""

import json
import socket
import stat
from pathlib import Path

import asyncpg
import pytest

from api import cli
from api.tool import demo
from api.tool.progress import Bar
from core import embedded
from core.postgres import migrate


@pytest.fixture
def ground(cluster: embedded.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> demo.Ground:
    """A demo's folder over a database name of its own on the tests' server."""
    monkeypatch.setattr(demo, "DATABASE", f"demo_{tmp_path.name}".replace("-", "_").lower())
    monkeypatch.setenv("OSMANTHUS_ROLE_PREFIX", "demo")
    monkeypatch.delenv("REDIS_URL", raising=False)
    return demo.Ground(tmp_path, cluster.dsn(demo.DATABASE), cluster)


async def tables(ground: demo.Ground) -> int:
    """How many tables of a marker's name the demo's database has."""
    connection = await asyncpg.connect(ground.database_url)
    try:
        return await connection.fetchval("select count(*) from pg_class where relname = 'marker'")
    finally:
        await connection.close()


async def mark(ground: demo.Ground) -> None:
    """Leave something in the demo's database."""
    connection = await asyncpg.connect(ground.database_url)
    try:
        await connection.execute("create table if not exists public.marker ()")
    finally:
        await connection.close()


class TestPrepare:
    """Database, secrets, schema."""

    async def test_a_first_start_makes_everything_and_a_second_keeps_it(self, ground: demo.Ground) -> None:
        """Secrets are made once and closed to others; the schema is at the head; data stay."""
        first = await demo.prepare(ground, 8000)
        await mark(ground)
        second = await demo.prepare(ground, 8001)
        assert first.master_key == second.master_key
        assert (second.base_url, second.sandbox, second.demo_idp) == ("http://127.0.0.1:8001", True, True)
        assert await migrate.current(ground.database_url) == migrate.head()
        assert await tables(ground) == 1
        for name in ("secrets.json", "epochs.json"):
            assert stat.S_IMODE((ground.folder / name).stat().st_mode) == 0o600

    async def test_a_city_whose_seeding_was_cut_is_made_anew(
        self, ground: demo.Ground, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Half a city says nothing true, so it is dropped, and that is said."""
        await demo.prepare(ground, 8000)
        await mark(ground)
        ground.seeding.touch()
        await demo.prepare(ground, 8000)
        assert await tables(ground) == 0
        assert not ground.seeding.exists()
        assert "making the city anew" in capsys.readouterr().out

    async def test_a_lost_database_takes_its_kit_along(self, ground: demo.Ground) -> None:
        """A kit of a city that is no more would only mislead."""
        ground.kit.write_text("{}")
        await demo.prepare(ground, 8000)
        assert not ground.kit.exists()

    async def test_somebody_elses_half_seeded_database_is_left_alone(self, ground: demo.Ground, database: str) -> None:
        """We drop nothing of an external database; the message says what to do."""
        theirs = demo.Ground(ground.folder, database)
        theirs.seeding.touch()
        with pytest.raises(demo.CannotStartError, match="empty it"):
            await demo.prepare(theirs, 8000)


class TestRun:
    """What is refused at the door."""

    def test_a_port_in_use_is_one_sentence(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The demo exits with 1 before it starts anything."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            assert cli.main(["demo", "--port", str(port)]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert f"Port {port} cannot be used" in said.err
        assert said.err.count("\n") == 1

    def test_reset_never_erases_somebody_elses_database(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        """With DATABASE_URL the owner empties it."""
        monkeypatch.setattr(demo, "VAR", tmp_path)
        monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
        assert cli.main(["demo", "--port", "0", "--reset"]) == 1
        assert "RESET=1 erases only the embedded database" in capsys.readouterr().err


class TestWritePrivately:
    """The kit and the secrets."""

    def test_a_file_is_whole_and_closed(self, tmp_path: Path) -> None:
        """It replaces the old one, also over a draft that a crash left."""
        path = tmp_path / "kit.json"
        path.with_suffix(".draft").write_text("half")
        demo.write_privately(path, json.dumps({"a": 1}))
        demo.write_privately(path, json.dumps({"a": 2}))
        assert json.loads(path.read_text()) == {"a": 2}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [entry.name for entry in tmp_path.iterdir()] == ["kit.json"]


class TestBar:
    """Long work is seen."""

    def test_a_log_gets_a_line_at_each_tenth(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Where nobody watches, a hundred steps are eleven lines at most."""
        import sys

        with Bar("Seeding", sys.stderr) as bar:
            for done in range(1, 101):
                bar.step("somebody", done, 100)
        lines = capsys.readouterr().err.splitlines()
        assert lines[-1] == "Seeding: 100/100 somebody"
        assert len(lines) == 11

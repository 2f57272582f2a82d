"""The embedded PostgreSQL keeps its data, its port and its house, and leaves nothing behind."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from core import embedded
from core.postgres.launcher import EmbeddedUnavailable

ROOT = Path(__file__).resolve().parents[2]
OWNER = """
import signal, sys, time, pathlib
from core import embedded
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
owned = embedded.start(pathlib.Path(sys.argv[1]), durable=False)
print(owned.cluster.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory for one server, with a short path."""
    with tempfile.TemporaryDirectory(prefix="osm-") as folder:
        yield Path(folder) / "pg"


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """The data of a server that was made and never held anything: to make one takes a second."""
    with tempfile.TemporaryDirectory(prefix="osm-") as folder:
        with embedded.running(Path(folder), durable=False) as cluster:
            data = cluster.data
        yield data
        embedded.erase(Path(folder))


@contextlib.contextmanager
def owner_process(home: Path) -> Generator[tuple["subprocess.Popen[str]", int]]:
    """Another process that owns a server; yields it and the postmaster's pid."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def is_running(pid: int) -> bool:
    """Whether the process lives; a zombie that nobody reaped has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def until(holds: Callable[[], bool], seconds: float = 15) -> bool:
    """Wait for something outside our reach to happen."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


async def value(cluster: embedded.Cluster, *statements: str) -> object:
    """The last statement's first value, asked by the operator."""
    connection = await asyncpg.connect(cluster.dsn())
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return await connection.fetchval(statements[-1])
    finally:
        await connection.close()


class TestStart:
    """Making and starting a server."""

    async def test_data_and_port_survive_a_restart(self, home: Path) -> None:
        """What was committed is there after a stop and a start, on the same port, with fsync on."""
        with embedded.running(home) as first:
            await value(first, "create table kept (n int)", "insert into kept values (7) returning n")
        with embedded.running(home) as second:
            assert await value(second, "select n from kept") == 7
            assert await value(second, "show fsync") == "on"
        assert first.port == second.port

    async def test_text_sorts_alike_on_every_machine(self, home: Path) -> None:
        """The locale is PostgreSQL's own C.UTF-8, the encoding UTF8."""
        query = "select datlocprovider::text || datlocale || pg_encoding_to_char(encoding) from pg_database limit 1"
        with embedded.running(home, durable=False) as cluster:
            assert await value(cluster, query) == "bC.UTF-8UTF8"

    def test_two_directories_run_side_by_side(self, home: Path) -> None:
        """Two clones get two ports."""
        with (
            embedded.running(home, durable=False) as one,
            embedded.running(home.with_name("pg2"), durable=False) as other,
        ):
            assert one.port != other.port

    def test_a_second_owner_is_told_who_runs_it(self, home: Path) -> None:
        """One directory has one owner; the message names its process."""
        with embedded.running(home, durable=False), pytest.raises(EmbeddedUnavailable, match=str(os.getpid())):
            embedded.start(home)

    async def test_a_taken_port_is_given_up(self, home: Path) -> None:
        """When something else took last time's port, the server moves to another."""
        with embedded.running(home, durable=False) as first:
            pass
        with socket.create_server(("127.0.0.1", first.port)), embedded.running(home, durable=False) as second:
            assert second.port != first.port
            assert await value(second, "select 1") == 1

    async def test_a_long_path_gets_a_short_socket(self) -> None:
        """A clone deep down works: the socket moves to a private directory that goes with the server."""
        with tempfile.TemporaryDirectory(prefix="osm-") as folder:
            with embedded.running(Path(folder) / ("d" * 60) / ("e" * 60), durable=False) as cluster:
                assert await value(cluster, "select 1") == 1
                assert stat.S_IMODE(cluster.sockets.stat().st_mode) == 0o700
            assert not cluster.sockets.exists()

    async def test_a_path_with_spaces_and_quotes_works(self, home: Path) -> None:
        """No shell and no configuration file reads the path."""
        with embedded.running(home / 'it\'s a "clone" 示范', durable=False) as cluster:
            assert await value(cluster, "select 1") == 1

    async def test_a_strict_umask_works(self, home: Path) -> None:
        """A caller whose umask is 077 can run it."""
        before = os.umask(0o077)
        try:
            with embedded.running(home, durable=False) as cluster:
                assert await value(cluster, "select 1") == 1
        finally:
            os.umask(before)

    def test_a_start_that_fails_says_what_the_server_said(self, home: Path) -> None:
        """The log's end is in the message, and the lock is free again."""
        with pytest.raises(EmbeddedUnavailable, match="shared_buffers"):
            embedded.start(home, durable=False, options={"shared_buffers": "nonsense"})
        with embedded.running(home, durable=False):
            pass


class TestDoors:
    """Who may come in without a password."""

    async def test_only_the_operators_socket_has_no_password(self, home: Path) -> None:
        """The operator is refused on TCP, and others need scram everywhere."""
        with embedded.running(home, durable=False) as cluster:
            await value(cluster, "create role other login password 'right'", "select 1")
            assert stat.S_IMODE(cluster.sockets.stat().st_mode) == 0o700
            with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
                await asyncpg.connect(f"postgresql://operator@127.0.0.1:{cluster.port}/postgres")
            for place in (
                cluster.door_dsn("other", "wrong", "postgres"),
                cluster.dsn().replace("operator", "other:no"),
            ):
                with pytest.raises(asyncpg.InvalidPasswordError):
                    await asyncpg.connect(place)
            connection = await asyncpg.connect(cluster.door_dsn("other", "right", "postgres"))
            assert await connection.fetchval("select current_user") == "other"
            await connection.close()


class TestEnd:
    """However the owner goes, the server goes too."""

    @pytest.fixture
    def home(self, home: Path, initialised: Path) -> Path:
        """A directory for one server, which was made already."""
        shutil.copytree(initialised, home / "data")
        return home

    def test_stop_may_be_called_twice(self, home: Path) -> None:
        """The second stop finds nothing to do."""
        owned = embedded.start(home, durable=False)
        embedded.stop(owned)
        embedded.stop(owned)
        assert not is_running(owned.cluster.pid)

    async def test_a_killed_owner_takes_the_server_along(self, home: Path) -> None:
        """After SIGKILL of the owner the watchdog ends the server, and the next start waits for it."""
        with owner_process(home) as (owner, postmaster):
            owner.kill()
            owner.wait()
            with embedded.running(home, durable=False) as cluster:
                assert not is_running(postmaster)
                assert await value(cluster, "select 1") == 1

    def test_the_terminals_interrupt_reaches_the_owner_alone(self, home: Path) -> None:
        """Ctrl-C goes to the whole foreground group: neither server nor watchdog is in it."""
        with owner_process(home) as (owner, postmaster):
            children = psutil.Process(owner.pid).children()
            assert {os.getpgid(child.pid) for child in children} & {os.getpgid(owner.pid)} == set()
            os.killpg(owner.pid, signal.SIGINT)
            owner.wait()
            assert until(lambda: not any(is_running(pid) for pid in (postmaster, *(c.pid for c in children))))

    async def test_a_killed_postmaster_is_started_again(self, home: Path) -> None:
        """A pid file left by SIGKILL, even of a process that nobody reaped, does not stop the next start."""
        owned = embedded.start(home, durable=False)
        os.kill(owned.cluster.pid, signal.SIGKILL)
        embedded.stop(owned)
        with embedded.running(home, durable=False) as cluster:
            assert await value(cluster, "select 1") == 1

    async def test_a_pid_that_now_belongs_to_another_program_is_no_obstacle(self, home: Path) -> None:
        """A pid file that names a live stranger is removed, and the stranger is left alone."""
        with embedded.running(home, durable=False) as first:
            pass
        stranger = subprocess.Popen(["sleep", "60"])
        (first.data / "postmaster.pid").write_text(f"{stranger.pid}\n{first.data}\n")
        with embedded.running(home, durable=False) as cluster:
            assert await value(cluster, "select 1") == 1
        assert stranger.poll() is None
        stranger.kill()
        stranger.wait()

    async def test_an_orphaned_server_is_ended_first(self, home: Path) -> None:
        """When owner and watchdog were both killed, the next start ends the server that they left."""
        with owner_process(home) as (owner, postmaster):
            others = [child.pid for child in psutil.Process(owner.pid).children() if child.pid != postmaster]
            for pid in (*others, owner.pid):
                os.kill(pid, signal.SIGKILL)
            owner.wait()
            assert is_running(postmaster)
            with embedded.running(home, durable=False) as cluster:
                assert not is_running(postmaster)
                assert await value(cluster, "select 1") == 1

    def test_erase_leaves_nothing(self, home: Path) -> None:
        """RESET removes every file, but not under a running server."""
        with embedded.running(home, durable=False), pytest.raises(EmbeddedUnavailable):
            embedded.erase(home)
        embedded.erase(home)
        assert not home.exists()

"""Our own small life cycle over the PostgreSQL programs of a wheel, for `make demo` and the tests.

Keeps, under one directory: the data, the log, the port and the lock of one server. Promises: the data survive a
restart; the operator's socket alone has no password and lies in a 0700 directory, every door uses scram-sha-256; two
directories get two ports; a stale pid file or a taken port does not stop a start; the server ends with its owner, also
when the owner is killed with SIGKILL, because a watchdog holds the other end of a pipe.

Does not promise: survival of the watchdog itself (kill both with SIGKILL and the server stays until the next `start`,
which ends it), high availability, backups, TLS. Production uses DATABASE_URL.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec
import psutil

from core.postgres import postmaster
from core.postgres.launcher import EmbeddedUnavailable, Launcher, choose, outside
from core.postgres.postmaster import OPERATOR, STOP_SECONDS

# Ignores the terminal's signals; a line on the pipe means "all is well, go"; its end without one means the owner died.
WATCHDOG = """
trap '' INT TERM HUP
read -r _ && exit 0
[ "$(head -n 1 "$1/postmaster.pid" 2>/dev/null)" = "$2" ] || exit 0
kill -INT "$2"
n=0
while kill -0 "$2" 2>/dev/null && [ -e "$1/postmaster.pid" ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done
[ -e "$1/postmaster.pid" ] && kill -QUIT "$2"
exit 0
"""


class Cluster(msgspec.Struct, frozen=True):
    """A running server: the operator's socket directory, the loopback port, the data directory, the postmaster."""

    sockets: Path
    port: int
    data: Path
    pid: int

    def dsn(self, database: str = "postgres") -> str:
        """The operator's DSN over the socket (libpq form; asyncpg reads it as it is)."""
        return f"postgresql://{OPERATOR}@/{database}?host={quote(str(self.sockets), safe='')}&port={self.port}"

    def door_dsn(self, role: str, password: str, database: str) -> str:
        """A door's DSN over loopback TCP, with its scram password."""
        return f"postgresql://{quote(role)}:{quote(password)}@127.0.0.1:{self.port}/{quote(database)}"


class Running(msgspec.Struct):
    """What the owner of a server holds until `stop`."""

    cluster: Cluster
    launcher: Launcher
    server: subprocess.Popen[bytes]
    watchdog: subprocess.Popen[bytes]
    lock: int
    scratch: Path | None


def start(home: Path, *, durable: bool = True, options: Mapping[str, str] | None = None) -> Running:
    """Start the server whose files lie under `home`, making them first if need be.

    `durable=False` turns fsync off, for tests alone. `options` are further server settings. Raises EmbeddedUnavailable
    when another process owns this server, no identity can run it, or, with the tail of its log, it does not start.
    """
    home.mkdir(parents=True, exist_ok=True)
    home = home.resolve()
    lock = _lock(home)
    sockets, scratch = None, None
    try:
        launcher = choose(home)
        data = launcher.home / "data"
        if not (data / "osmanthus.ready").exists():
            postmaster.initialise(launcher, data)
        postmaster.end_orphan(data)
        sockets, scratch = postmaster.socket_directory(launcher)
        (data / "pg_hba.conf").write_text(postmaster.HBA)
        settings = (
            {"unix_socket_directories": str(sockets)} | postmaster.settings(durable=durable) | dict(options or {})
        )
        server, port = postmaster.serve(launcher, data, home / "port", settings)
    except BaseException:
        os.close(lock)
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)
        raise
    watchdog = subprocess.Popen(
        ["/bin/sh", "-c", WATCHDOG, "osmanthus-watchdog", str(data), str(server.pid)],
        stdin=subprocess.PIPE, start_new_session=True, pass_fds=[lock], cwd="/",
    )  # fmt: skip
    return Running(Cluster(sockets, port, data, server.pid), launcher, server, watchdog, lock, scratch)


def stop(running: Running) -> None:
    """End the server: fast, then immediate, then by force. Safe to call twice."""
    for sign in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if running.server.poll() is None:
            running.server.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.server.wait(STOP_SECONDS)
    if running.watchdog.stdin is not None and not running.watchdog.stdin.closed:
        with contextlib.suppress(BrokenPipeError):
            running.watchdog.stdin.write(b"stopped\n")
            running.watchdog.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            running.watchdog.stdin.close()
        running.watchdog.wait()
        os.close(running.lock)
    if running.scratch is not None:
        shutil.rmtree(running.scratch, ignore_errors=True)


@contextlib.contextmanager
def running(home: Path, *, durable: bool = True, options: Mapping[str, str] | None = None) -> Generator[Cluster]:
    """The server under `home` for the length of a `with` block; see `start`."""
    owned = start(home, durable=durable, options=options)
    try:
        yield owned.cluster
    finally:
        stop(owned)


def erase(home: Path) -> None:
    """Remove a stopped server's files, wherever its identity keeps them. Raises EmbeddedUnavailable while it runs."""
    if not home.exists():
        return
    lock = _lock(home.resolve())
    for place in (home.resolve(), outside(home.resolve())):
        shutil.rmtree(place, ignore_errors=not place.exists())
    os.close(lock)


def _lock(home: Path) -> int:
    """One owner per server. The watchdog inherits the lock, so a start after a crash waits until it has cleaned up."""
    handle = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + STOP_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = (home / "owner").read_text() if (home / "owner").exists() else ""
            if time.monotonic() > until or _is_alive(owner):
                os.close(handle)
                message = f"another process (pid {owner}) runs the database under {home}: stop it first."
                raise EmbeddedUnavailable(message) from None
            time.sleep(0.1)
        else:
            (home / "owner").write_text(str(os.getpid()))
            return handle


def _is_alive(owner: str) -> bool:
    """Whether the process that wrote itself down as the owner still runs; a zombie does not."""
    try:
        return psutil.Process(int(owner)).status() != psutil.STATUS_ZOMBIE
    except (ValueError, psutil.Error):
        return False

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
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec
import psutil

from core.launcher import EmbeddedUnavailable, Launcher, choose, outside

OPERATOR = "operator"
SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes on Linux and 104 on macOS, with ".s.PGSQL.65535" and a zero
START_SECONDS = 60.0
STOP_SECONDS = 20.0

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

HBA = f"""# Written by osmanthus. The operator's socket lies in a 0700 directory; nobody else is without a password.
local all {OPERATOR} trust
local all all scram-sha-256
host all {OPERATOR} all reject
host all all 127.0.0.1/32 scram-sha-256
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
    when another process owns this server, when no identity can run it, or with the tail of its log when it will not start.
    """
    home.mkdir(parents=True, exist_ok=True)
    home = home.resolve()
    lock = _lock(home)
    sockets, scratch = None, None
    try:
        launcher = choose(home)
        data = launcher.home / "data"
        if not (data / "osmanthus.ready").exists():
            _initialise(launcher, data)
        _end_orphan(data)
        sockets, scratch = _socket_directory(launcher)
        (data / "pg_hba.conf").write_text(HBA)
        settings = {"unix_socket_directories": str(sockets)} | _settings(durable=durable) | dict(options or {})
        server, port = _serve(launcher, data, home / "port", settings)
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
def running(home: Path, *, durable: bool = True, options: Mapping[str, str] | None = None) -> Iterator[Cluster]:
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


def _initialise(launcher: Launcher, data: Path) -> None:
    """initdb with a locale that depends on nothing of this machine, so that sorting and case are the same everywhere."""
    shutil.rmtree(data, ignore_errors=True)
    launcher.own(data)
    made = launcher.run(
        "initdb", "-D", str(data), "-U", OPERATOR, "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        "--locale=C", "--auth=reject", "--no-sync", "--no-instructions",
    )  # fmt: skip
    if made.returncode:
        message = f"initdb failed: {made.stderr.strip()}"
        raise EmbeddedUnavailable(message)
    (data / "osmanthus.ready").touch()


def _settings(*, durable: bool) -> dict[str, str]:
    """Server settings of every embedded server; without `durable` a crash of the machine may lose everything."""
    steady = {
        "listen_addresses": "127.0.0.1", "unix_socket_permissions": "0700", "max_connections": "200",
        "password_encryption": "scram-sha-256", "timezone": "UTC", "log_timezone": "UTC", "wal_compression": "on",
    }  # fmt: skip
    fragile = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    return steady if durable else steady | fragile


def _socket_directory(launcher: Launcher) -> tuple[Path, Path | None]:
    """A 0700 directory for the operator's socket, and the same again if it is a temporary one that `stop` removes."""
    near = launcher.home / "s"
    if len(os.fsencode(near / ".s.PGSQL.65535")) <= SOCKET_PATH_LIMIT:
        shutil.rmtree(near, ignore_errors=True)
        return launcher.own(near), None
    scratch = Path(tempfile.mkdtemp(prefix="osm-", dir="/tmp"))  # noqa: S108  (mkdtemp is private; TMPDIR may be too long)
    return launcher.own(scratch), scratch


def _serve(launcher: Launcher, data: Path, kept: Path, settings: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start the postmaster on the kept port, or on another one if it was taken meanwhile."""
    log = launcher.home / "server.log"
    tail = ""
    for attempt in range(8):
        port = _port(kept, fresh=attempt > 0 and "Address already in use" in tail)
        offset = log.stat().st_size if log.exists() else 0
        arguments = [part for name, value in {**settings, "port": str(port)}.items() for part in ("-c", f"{name}={value}")]
        server = launcher.popen("postgres", "-D", str(data), *arguments, log=log)
        if _is_ready(server, data):
            return server, port
        tail = log.read_bytes()[offset:].decode(errors="replace")
        if "Address already in use" not in tail and "still in use" not in tail:
            break
        time.sleep(0.2 * attempt)  # children of a killed postmaster need a moment to leave its shared memory
    message = f"PostgreSQL did not start; its log ends:\n{tail[-2000:]}"
    raise EmbeddedUnavailable(message)


def _is_ready(server: subprocess.Popen[bytes], data: Path) -> bool:
    """Wait until the postmaster writes `ready` into its pid file (pg_ctl's own sign); False when it ended instead."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            lines = (data / "postmaster.pid").read_text().splitlines()
            if len(lines) > 7 and lines[0] == str(server.pid) and lines[7].strip() == "ready":  # noqa: PLR2004
                return True
        time.sleep(0.01)
    if server.poll() is None:
        server.kill()
        server.wait()
    return False


def _port(kept: Path, *, fresh: bool) -> int:
    """The port of last time, or a free one that is then kept."""
    if kept.exists() and not fresh:
        port = int(kept.read_text())
        if _is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    kept.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    """Whether the port can be bound now; the postmaster's own bind decides."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _end_orphan(data: Path) -> None:
    """Clear a pid file left by a crash: end the server if it still runs on these data, else remove the file.

    PostgreSQL trusts any live process of that number, so a reused pid or an unreaped zombie would block the start.
    """
    pidfile = data / "postmaster.pid"
    if not pidfile.exists():
        return
    try:
        process = psutil.Process(int(pidfile.read_text().split()[0]))
        if process.status() != psutil.STATUS_ZOMBIE and str(data) in process.cmdline():
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
    except (ValueError, IndexError, psutil.NoSuchProcess):
        pass
    pidfile.unlink(missing_ok=True)

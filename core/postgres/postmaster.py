"""One run of the postmaster: data directory, settings, socket, port, readiness, and what a crash left behind.

Keeps no state of its own; `core.embedded` owns the life cycle and calls these in order.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from core.postgres.launcher import EmbeddedUnavailable, Launcher

OPERATOR = "operator"
SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes on Linux and 104 on macOS, with a zero at its end
START_SECONDS = 60.0
STOP_SECONDS = 20.0

HBA = f"""# Written by osmanthus. The operator's socket lies in a 0700 directory; nobody else is without a password.
local all {OPERATOR} trust
local all all scram-sha-256
host all {OPERATOR} all reject
host all all 127.0.0.1/32 scram-sha-256
"""


def initialise(launcher: Launcher, data: Path) -> None:
    """Initialise with a locale that depends on nothing of this machine: sorting and case are the same everywhere."""
    shutil.rmtree(data, ignore_errors=True)
    launcher.own(data)
    locale = ("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    manner = ("--auth=reject", "--no-sync", "--no-instructions")
    made = launcher.run(*launcher.command("initdb", "-D", str(data), "-U", OPERATOR, *locale, *manner))
    if made.returncode:
        message = f"initdb failed: {made.stderr.strip()}"
        raise EmbeddedUnavailable(message)
    (data / "osmanthus.ready").touch()


def settings(*, durable: bool) -> dict[str, str]:
    """Server settings of every embedded server; without `durable` a crash of the machine may lose everything."""
    steady = {
        "listen_addresses": "127.0.0.1", "unix_socket_permissions": "0700", "max_connections": "200",
        "password_encryption": "scram-sha-256", "timezone": "UTC", "log_timezone": "UTC", "wal_compression": "on",
    }  # fmt: skip
    fragile = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    return steady if durable else steady | fragile


def socket_directory(launcher: Launcher) -> tuple[Path, Path | None]:
    """A 0700 directory for the operator's socket, and the same again if it is a temporary one that `stop` removes."""
    near = launcher.home / "s"
    if len(os.fsencode(near / ".s.PGSQL.65535")) <= SOCKET_PATH_LIMIT:
        shutil.rmtree(near, ignore_errors=True)
        return launcher.own(near), None
    scratch = Path(tempfile.mkdtemp(prefix="osm-", dir="/tmp"))  # mkdtemp is private; TMPDIR may be too long
    return launcher.own(scratch), scratch


def serve(launcher: Launcher, data: Path, kept: Path, chosen: dict[str, str]) -> tuple[subprocess.Popen[bytes], int]:
    """Start the postmaster on the kept port, or on another one if it was taken meanwhile."""
    log = launcher.home / "server.log"
    tail = ""
    for attempt in range(8):
        port = _port(kept, fresh=attempt > 0 and "Address already in use" in tail)
        offset = log.stat().st_size if log.exists() else 0
        options = [f"--{name}={value}" for name, value in {**chosen, "port": str(port)}.items()]
        server = launcher.popen(*launcher.command("postgres", "-D", str(data), *options), log=log)
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


def end_orphan(data: Path) -> None:
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

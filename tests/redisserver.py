"""A real Redis for tests: `$REDIS_URL`, or a redis-server from PATH on a socket of its own; None without either."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

ABSENT = "NOT RUN: no redis-server on PATH and no REDIS_URL (Debian: apt-get install redis-server)"


@contextlib.contextmanager
def redis_url() -> Generator[str | None]:
    """The URL of a Redis for the length of a block, ended afterwards if we started it."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="osm-redis-") as folder:
        channel = Path(folder) / "redis.sock"
        options = ["--port", "0", "--unixsocket", str(channel), "--save", "", "--appendonly", "no", "--dir", folder]
        server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
        try:
            _wait_for(channel, server)
            yield f"unix://{channel}"
        finally:
            server.terminate()
            server.wait(10)


def _wait_for(channel: Path, server: "subprocess.Popen[bytes]") -> None:
    """Until the socket is there, at most ten seconds."""
    until = time.monotonic() + 10
    while not channel.exists():
        if server.poll() is not None or time.monotonic() > until:
            message = "redis-server did not start"
            raise RuntimeError(message)
        time.sleep(0.01)

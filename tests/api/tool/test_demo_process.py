"""The demo as a process: from nothing to a served city, and away again without a trace."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.settings import ROOT

DEMO = """
import pathlib, sys
from api import cli
from api.tool import demo
demo.VAR = pathlib.Path(sys.argv[1])
sys.exit(cli.main(["demo", "--port", sys.argv[2]]))
"""
PATIENCE = 120
NOTES = {
    "high", "just_below", "clean_no_records", "not_enrolled", "withdrew", "minor", "open_dispute", "repairable",
    "declared",
}  # fmt: skip


class City:
    """One demo city in a directory of its own."""

    def __init__(self, var: Path) -> None:
        """Nothing is started yet."""
        self.var = var
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> "subprocess.Popen[str]":
        """Start it as a shell would, in a process group of its own."""
        environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        self.process = subprocess.Popen(
            [sys.executable, "-c", DEMO, str(self.var), str(self.port)], cwd=ROOT, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        return self.process

    def wait_until_told(self) -> str:
        """What it prints up to the line that says how to stop it."""
        assert self.process is not None
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += line
            if "Stop with Ctrl-C" in line:
                return said
        pytest.fail(f"the demo ended:\n{said}")

    def stop(self, sign: signal.Signals) -> int:
        """Send a signal to the whole group, as a terminal does; the exit status."""
        assert self.process is not None
        os.killpg(self.process.pid, sign)
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode

    def left(self) -> list[str]:
        """Command lines of live processes that belong to this city."""
        return [
            " ".join(process.info["cmdline"])
            for process in psutil.process_iter(["cmdline", "status"])
            if process.info["status"] != psutil.STATUS_ZOMBIE
            and str(self.var) in " ".join(process.info["cmdline"] or [])
        ]

    def ready(self) -> int:
        """The status of its readiness probe."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz/ready", timeout=10) as answer:
            return int(answer.status)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city that is gone after the tests, whatever happened."""
    one = City(tmp_path_factory.mktemp("var"))
    yield one
    if one.process is not None and one.process.poll() is None:
        one.process.kill()
        one.process.communicate()


def lasting(city: City) -> dict[str, Any]:
    """What of the kit outlives a start."""
    kit = json.loads((city.var / "demo" / "kit.json").read_text())
    people = [{name: told for name, told in one.items() if name != "credentials"} for one in kit["citizens"]]
    return {**kit, "citizens": people}


class TestDemo:
    """In order: each test goes on from the one before."""

    def test_a_first_start_makes_the_city_and_the_kit(self, city: City) -> None:
        """The page is served, every personage is there, and the kit is for its owner alone."""
        city.start()
        said = city.wait_until_told()
        kit = json.loads((city.var / "demo" / "kit.json").read_text())
        assert city.ready() == 200
        assert f"http://127.0.0.1:{city.port}/" in said
        assert {person["note"] for person in kit["citizens"]} >= NOTES
        assert stat.S_IMODE((city.var / "demo" / "kit.json").stat().st_mode) == 0o600

    def test_ctrl_c_ends_everything(self, city: City) -> None:
        """The terminal's interrupt is the proper way to stop, so the exit status is 0, and no process is left."""
        assert city.stop(signal.SIGINT) == 0
        assert city.left() == []

    def test_a_second_start_keeps_the_city(self, city: City) -> None:
        """Nobody is seeded twice, and the keys are the same; the visitor has fresh copies, since each is shown once."""
        before = lasting(city)
        begun = time.monotonic()
        city.start()
        assert "Seeding" not in city.wait_until_told()
        assert time.monotonic() - begun < 30  # 8 s on a quiet machine; this guards against seeding anew
        assert city.ready() == 200
        assert lasting(city) == before

    def test_sigkill_of_the_city_leaves_no_process(self, city: City) -> None:
        """The watchdog ends the database when nobody else could."""
        city.stop(signal.SIGKILL)
        end = time.monotonic() + 20
        while city.left() and time.monotonic() < end:
            time.sleep(0.05)
        assert city.left() == []

    def test_it_starts_again_after_a_crash_and_obeys_sigterm(self, city: City) -> None:
        """A crash loses nothing; a polite end is a success."""
        city.start()
        assert "Seeding" not in city.wait_until_told()
        assert city.stop(signal.SIGTERM) == 0
        assert city.left() == []

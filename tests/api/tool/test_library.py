"""`osmanthus sip2`, as a librarian types it."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from api import cli
from api.sip2 import readers
from api.tool.signing import fresh_key
from core import clock
from tests import librarysystem
from tests.api.sip2.libraryworld import MORE
from tests.librarysystem import Terminal

FILE = """
file = "bridge.sqlite"
[city]
kit = "kit.json"
client = "lib"
[system]
host = "127.0.0.1"
port = {port}
[terminals]
port = 0
"""


PROGRAM = "import sys; from api.cli import main; sys.exit(main())"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A library whose system and city are both away."""
    one = {"client_id": "lib", "jwk": fresh_key(), "scopes": ["eligibility:check"], "perks": [MORE]}
    kit = {"base_url": "http://127.0.0.1:1", "issuer": "http://127.0.0.1:1", "clients": {"lib": one}}
    (tmp_path / "kit.json").write_text(json.dumps(kit))
    (tmp_path / "library.toml").write_text(FILE.format(port=1))
    return tmp_path / "library.toml"


class TestLink:
    """A card and a subject."""

    def test_kept_and_forgotten(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """What was linked is in the file until it is unlinked."""
        until = clock.today().isoformat()
        assert cli.main(["sip2", "link", str(file), "R1", MORE, "su_1", "--until", until]) == 0
        with readers.opened(file.parent / "bridge.sqlite") as kept:
            assert [one.subject for one in kept.held("R1", on=clock.today())] == ["su_1"]
        assert cli.main(["sip2", "unlink", str(file), "R1"]) == 0
        assert capsys.readouterr().out == "1 forgotten.\n"


class TestSweep:
    """Once a day."""

    def test_it_says_who_was_away(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A city that does not answer makes it fail, in a sentence; nothing is lost by that."""
        assert cli.main(["sip2", "sweep", str(file)]) == 1
        said = capsys.readouterr()
        assert said.out == "0 links ended; 0 readers looked at, 0 lowered.\n"
        assert said.err.startswith("no answer from the city")


class TestFile:
    """What the file may say."""

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ('kit = "kit.json"', "kit"), ("port = 1", "port"), ("[terminals]", "terminals"),
        ],
    )  # fmt: skip
    def test_a_fault_is_named(self, file: Path, capsys: pytest.CaptureFixture[str], changed: str, said: str) -> None:
        """An unknown or missing member is named in one sentence."""
        file.write_text(file.read_text().replace(changed, "wrong = 1" if "=" in changed else "[terminal]"))
        assert cli.main(["sip2", "sweep", str(file)]) == 1
        told = capsys.readouterr().err
        assert told.startswith("osmanthus: ")
        assert said[:8] in told

    def test_two_rungs_of_a_name(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A name stands for one rung."""
        rung = '[[rungs]]\nname = "a"\nperks = []\ncategory = "G1"\n'
        file.write_text(file.read_text() + rung * 2)
        assert cli.main(["sip2", "sweep", str(file)]) == 1
        assert "same name" in capsys.readouterr().err


class TestServe:
    """The program itself."""

    async def test_it_serves_until_it_is_stopped(self, file: Path) -> None:
        """It says where terminals connect, passes their lines on though the city is away, and ends at a signal."""
        async with librarysystem.running("R1") as system:
            file.write_text(FILE.format(port=system.port))
            program = await asyncio.create_subprocess_exec(
                sys.executable, "-c", PROGRAM, "sip2", "serve", str(file), stdout=subprocess.PIPE
            )
            try:
                assert program.stdout is not None
                said = (await program.stdout.readline()).decode()
                async with Terminal(int(said.partition(".0.0.1:")[2].partition(".")[0])) as machine:
                    assert (await machine.ask("R1")).get("CB") == "0010"
            finally:
                program.send_signal(signal.SIGTERM)
                status = await program.wait()
            assert status == 0


class TestWeight:
    """What a library must install."""

    def test_no_database_and_no_web_framework(self) -> None:
        """The bridge runs where nothing of the city's server is: four packages and what they stand on."""
        program = (
            "import sys, api.sip2.run, api.sip2.proxy; print(*sorted({one.partition('.')[0] for one in sys.modules}))"
        )
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        loaded = set(ran.stdout.split())
        assert {"msgspec", "httpx2", "joserfc", "cryptography"} <= loaded
        assert not loaded & {"sqlalchemy", "asyncpg", "litestar", "duckdb", "ibis", "alembic", "redis", "jinja2"}

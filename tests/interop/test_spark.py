"""Spark gives the evaluator's integers, and so does Sail: servers that nobody here wrote, behind one kind of address.

Needs pyspark; Spark wants a Java of 17 or newer besides (`.ci/engines`), Sail is a program of its own.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from core.settings import ROOT
from scoring.batch import engines
from tests.rulebook import CARD, POLICY, card
from tests.scoring.batch import ledgers

pytestmark = [
    pytest.mark.interop,
    # It is handed Arrow, never pandas, which may be installed for the benchmarks.
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]
AS_OF = date(2026, 11, 22)
PEOPLE = ledgers.people(11, AS_OF, 400)

_SPARK = """
import sys
from pyspark.sql import SparkSession
SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config(
    "spark.plugins", "org.apache.spark.sql.connect.SparkConnectPlugin"
).config("spark.connect.grpc.binding.port", sys.argv[1]).getOrCreate()
sys.stdin.read()
"""


@pytest.fixture(scope="module", params=["spark", "sail"])
def remote(request: pytest.FixtureRequest) -> Iterator[str]:
    """A Spark Connect server of its own, in another process."""
    if importlib.util.find_spec("pyspark") is None or (request.param == "spark" and shutil.which("java") is None):
        pytest.skip("pyspark or Java is not installed: Spark was NOT held equal")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = ["-c", _SPARK] if request.param == "spark" else ["-m", "pysail", "spark", "server", "--port"]
    with subprocess.Popen(
        [sys.executable, *program, f"{port}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        _wait(server, port)
        yield f"sc://127.0.0.1:{port}"
        server.terminate()


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Until somebody listens."""
    while True:
        assert server.poll() is None, "the server ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return


def expected() -> list[dict[str, object]]:
    """What the evaluator says."""
    return ledgers.evaluated(card(), PEOPLE, AS_OF)


class TestSpark:
    """`--engine spark` at either server."""

    def test_over_a_connect_address_it_gives_the_evaluators_integers(self, remote: str) -> None:
        """The shipped scorecard, over four hundred ledgers full of edges."""
        with engines.opened("spark", card(), AS_OF, remote=remote) as scorer:
            assert scorer(*ledgers.tables(PEOPLE)).to_pylist() == expected()

    @pytest.mark.parametrize("engine", ["duckdb", "spark"])
    def test_every_case_file_comes_out_the_same(self, remote: str, engine: str) -> None:
        """The situations that officials read, day by day."""
        for as_of, people in ledgers.shipped_cases().items():
            with engines.opened(engine, card(), as_of, remote=remote) as scorer:
                assert scorer(*ledgers.tables(people)).to_pylist() == ledgers.evaluated(card(), people, as_of)

    def test_the_command_writes_the_same_bytes_as_polars(self, remote: str, tmp_path: Path) -> None:
        """From files, by one flag; every column, every row, every byte."""
        assert written(tmp_path, "spark", "--spark-remote", remote) == written(tmp_path, "polars")
        assert pq.read_table(tmp_path / "spark.parquet").to_pylist() == expected()

    @pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed: Spark was NOT held equal")
    def test_without_an_address_spark_runs_here(self, tmp_path: Path) -> None:
        """The same bytes."""
        assert written(tmp_path, "spark") == written(tmp_path, "polars")


def written(folder: Path, engine: str, *more: str) -> bytes:
    """What `osmanthus score batch` writes."""
    records, register = ledgers.tables(PEOPLE)
    pq.write_table(records, folder / "records.parquet")
    pq.write_table(register, folder / "register.parquet")
    out = folder / f"{engine}.parquet"
    options = ("--records", "records.parquet", "--register", "register.parquet", "--as-of", f"{AS_OF}")
    command = ("score", "batch", *options, "--scorecard", str(POLICY / CARD), "--engine", engine)
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from api.cli import main; "
    code += f"sys.exit(main({[*command, '--out', str(out), *more]!r}))"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}  # of sessions here
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=clean, check=True, capture_output=True)
    return out.read_bytes()

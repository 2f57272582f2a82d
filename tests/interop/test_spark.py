"""Spark gives the evaluator's integers: a local one, and one at the other end of a Spark Connect address.

Needs pyspark and a Java of 17 or newer (`.ci/engines`).
"""

import importlib.util
import shutil
import socket
import subprocess
import sys
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

_SERVER = """
import sys
from pyspark.sql import SparkSession
SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config(
    "spark.plugins", "org.apache.spark.sql.connect.SparkConnectPlugin"
).config("spark.connect.grpc.binding.port", sys.argv[1]).getOrCreate()
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module", autouse=True)
def _there() -> None:
    """Without Spark or Java there is nothing to hold equal."""
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("pyspark or Java is not installed: Spark was NOT held equal")


@pytest.fixture(scope="module")
def remote() -> Iterator[str]:
    """A Spark Connect server of its own, in another process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert line == b"ready\n", line
        yield f"sc://127.0.0.1:{port}"
        server.terminate()


def expected() -> list[dict[str, object]]:
    """What the evaluator says."""
    return ledgers.evaluated(card(), PEOPLE, AS_OF)


class TestSpark:
    """`--engine spark`."""

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
        records, register = ledgers.tables(PEOPLE)
        pq.write_table(records, tmp_path / "records.parquet")
        pq.write_table(register, tmp_path / "register.parquet")
        found: dict[str, bytes] = {}
        for engine, more in (("polars", ()), ("spark", ("--spark-remote", remote))):
            out = tmp_path / f"{engine}.parquet"
            options = ("--records", "records.parquet", "--register", "register.parquet", "--as-of", f"{AS_OF}")
            command = ("score", "batch", *options, "--scorecard", str(POLICY / CARD), "--engine", engine)
            code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from api.cli import main; "
            code += f"sys.exit(main({[*command, '--out', str(out), *more]!r}))"
            subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
            found[engine] = out.read_bytes()
        assert found["spark"] == found["polars"]
        assert pq.read_table(tmp_path / "spark.parquet").to_pylist() == expected()

"""`osmanthus score batch` from the command line."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from api import cli
from tests.rulebook import CARD, POLICY, card
from tests.scoring.batch.test_plan import AS_OF, ledgers

PEOPLE = ledgers.people(9, AS_OF, 20)


def batch(folder: Path, *more: str) -> int:
    """Run the command over files of a folder."""
    return cli.main(
        [
            *("score", "batch", "--records", str(folder / "records.parquet")),
            *("--register", str(folder / "register.parquet"), "--as-of", f"{AS_OF}"),
            *("--scorecard", str(POLICY / CARD), "--out", str(folder / "out.parquet"), *more),
        ]
    )


class TestScoreBatch:
    """`osmanthus score batch`."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """A folder with the two inputs."""
        records, register = ledgers.tables(PEOPLE)
        pq.write_table(records, tmp_path / "records.parquet")
        pq.write_table(register, tmp_path / "register.parquet")
        return tmp_path

    def test_it_writes_everybody_and_says_so(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The result on one line, the progress on standard error, exit 0."""
        assert batch(folder, "--engine", "duckdb") == 0
        said = capsys.readouterr()
        expected = ledgers.evaluated(card(), PEOPLE, AS_OF)
        assert pq.read_table(folder / "out.parquet").to_pylist() == expected
        assert f"{len(expected)} citizens on {AS_OF} by scorecard 2026-01-01" in said.out
        assert "scoring: 1/1" in said.err

    def test_a_fault_is_one_sentence_and_fails(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A missing input is told without a traceback, and nothing is left behind."""
        (folder / "register.parquet").unlink()
        assert batch(folder) == 1
        said = capsys.readouterr()
        assert "register: there is no Parquet file at" in said.err
        assert not list(folder.glob("out*"))

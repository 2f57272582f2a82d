"""The memory of a pass: that of one range, however large the city."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from core.settings import ROOT
from scoring.batch import plan
from scoring.batch.sources import schema
from tests.rulebook import CARD, POLICY

_EACH = 20
_RANGE = 200_000  # rows
_PEOPLE = 10_000  # of a range
_MEGABYTES = 60  # by which the larger city may be dearer; in one range it is by two hundred

_PASS = """
import json, resource, sys
from datetime import date
from pathlib import Path
from scoring.batch import citywide
from scoring.book import scorecard
folder, card = map(Path, sys.argv[1:])
wanted = citywide.Pass(
    records=folder / "records.parquet", register=folder / "register.parquet", as_of=date(2026, 11, 22),
    card=scorecard.load(card.read_text(encoding="utf-8"), card.name), engine="duckdb", out=folder / "out.parquet",
    rows=%d,
)
done = citywide.run(wanted)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"citizens": done.citizens, "ranges": done.ranges, "megabytes": peak}))
"""


def city(folder: Path, people: int) -> None:
    """Write a city of so many people, a range at a time."""
    folder.mkdir()
    with (
        pq.ParquetWriter(folder / "records.parquet", schema(plan.RECORDS)) as records,
        pq.ParquetWriter(folder / "register.parquet", schema(plan.REGISTER)) as register,
    ):
        rows = _rows()
        for low in range(0, people, _PEOPLE):
            some = np.arange(low, low + _PEOPLE)
            records.write_table(rows.set_column(0, "subject", pa.array(np.repeat(some, _EACH))))
            adult = pa.array(np.full(len(some), 10_000, "int32")).cast(pa.date32())
            register.write_table(pa.table([some, adult], schema=schema(plan.REGISTER)))


def _rows() -> pa.Table:
    """The rows of a range: open arrears, which go on to the engine one by one."""
    count = _PEOPLE * _EACH
    days = pa.array(np.arange(count, dtype="int32") % 700 + 19_900).cast(pa.date32())
    empty = {name: pa.nulls(count, schema(plan.RECORDS).field(name).type) for name in plan.RECORDS}
    said = {
        "subject": np.zeros(count, "int64"), "kind": ["N05"] * count, "provider": [""] * count, "occurred_on": days,
        "quantity": np.ones(count, "int64"), "status": ["active"] * count, "from_on": days,
    }  # fmt: skip
    return pa.table(empty | said, schema=schema(plan.RECORDS))


def peak(folder: Path, people: int) -> dict[str, int]:
    """Score a city in a process of its own; citizens, ranges, and the most memory it had, in megabytes."""
    city(folder, people)
    command = [sys.executable, "-c", _PASS % _RANGE, str(folder), str(POLICY / CARD)]
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1])  # without a file to run, DuckDB believes that somebody watches


class TestRun:
    """`citywide.run`."""

    def test_memory_is_that_of_one_range(self, tmp_path: Path) -> None:
        """Five times the people in five times the ranges need no more of it."""
        small, large = peak(tmp_path / "small", _PEOPLE * 5), peak(tmp_path / "large", _PEOPLE * 25)
        assert large["ranges"] > small["ranges"] * 4
        assert (small["citizens"], large["citizens"]) == (_PEOPLE * 5, _PEOPLE * 25)
        assert large["megabytes"] < small["megabytes"] + _MEGABYTES

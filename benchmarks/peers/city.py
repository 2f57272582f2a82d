"""A made-up city in two Parquet files as the contract has them: clustered by citizen, mostly bills, few deductions."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from scoring.batch import plan
from scoring.batch.sources import arrow, parquet, schema

_SHARES = {
    "P01": 20, "P02": 20, "P03": 12, "P21": 6, "P22": 8, "P07": 10, "P04": 6, "P06": 1.5, "P08": 8, "P12": 1, "P17": 2,
    "P09": 0.3, "P13": 0.05, "P14": 0.1, "P15": 0.2, "P16": 1,
    "N01": 0.4, "N02": 0.1, "N03": 0.05, "N04": 0.05, "N05": 0.3, "N06": 0.1,
}  # fmt: skip
_MONTHLY, _LEVELS, _NEGATIVE = 11, 16, 22  # so many kinds of each, in the order above; P08 goes by days
_STEP = 50_000
_BLOCKS = 4  # of citizens that are made up; more are these again
_STATUS = ("active", "disputed", "hidden", "repaired", "revoked")


def build(folder: Path, people: int, rows: int, as_of: date) -> tuple[Path, Path]:
    """Write records and register unless they are there; the same city for the same size."""
    records, register = folder / f"records-{people}-{rows}.parquet", folder / f"register-{people}-{rows}.parquet"
    if not (records.exists() and register.exists()):
        random = np.random.default_rng(7)
        today = (as_of - date(1970, 1, 1)).days
        with (
            parquet.ParquetWriter(records, schema(plan.RECORDS)) as first,
            parquet.ParquetWriter(register, schema(plan.REGISTER)) as second,
        ):
            made: list[tuple[Any, Any]] = []
            for block, low in enumerate(range(0, people, _STEP)):
                some = np.arange(low, min(low + _STEP, people), dtype=np.int64)
                if block < _BLOCKS:
                    adult = (today - random.integers(-200, 365 * 60, len(some))).astype(np.int32)
                    made.append((_records(random, some, rows, today, as_of), _days(adult)))
                its_records, adult_on = made[block % _BLOCKS]
                first.write_table(_of(some, its_records.slice(0, len(some) * rows), rows))
                second.write_table(arrow.table([some, adult_on.slice(0, len(some))], schema=schema(plan.REGISTER)))
    return records, register


def _of(people: Any, records: Any, rows: int) -> Any:
    """Give the same records to other people: to draw half a billion anew would take longer than to score them."""
    return records.set_column(0, "subject", arrow.array(np.repeat(people, rows))).cast(schema(plan.RECORDS))


def share(records: Path, register: Path, people: int) -> tuple[Any, Any]:
    """Read the rows of the first citizens into memory."""
    some = [("subject", "<", people)]
    return parquet.read_table(records, filters=some), parquet.read_table(register, filters=some)


def _records(random: Any, people: Any, rows: int, today: int, as_of: date) -> Any:
    count = len(people) * rows
    shares = np.array(list(_SHARES.values()))
    kind = random.choice(len(shares), count, p=shares / shares.sum())
    firsts = [(as_of.replace(day=1) - timedelta(days=30 * back)).replace(day=1) for back in range(40)]
    monthly = np.array([(first - date(1970, 1, 1)).days for first in firsts])
    by_month = (kind < _MONTHLY) & (kind != list(_SHARES).index("P08"))
    day = np.where(by_month, monthly[random.integers(0, 40, count)], today - random.integers(-10, 2_000, count))
    negative = kind >= _LEVELS
    level = np.where((kind >= _MONTHLY) & ~negative, random.integers(1, 5, count), 0).astype(np.int16)
    start = day + random.integers(0, 60, count)
    until = start + random.integers(100, 1_200, count)
    is_open = random.random(count) < 0.3
    hours = np.where(kind == list(_SHARES).index("P08"), random.integers(1, 9, count), 1)
    return arrow.table(
        [
            np.repeat(people, rows),
            _words(kind, list(_SHARES)),
            _words(np.where(by_month, random.integers(0, 3, count), 3), ["water", "power", "gas", ""]),
            _days(day),
            hours.astype(np.int64),
            arrow.array(level, mask=level == 0),
            _days(start, ~negative),
            _days(until, ~negative | is_open),
            _words(random.choice(5, count, p=[0.97, 0.01, 0.01, 0.005, 0.005]), list(_STATUS)),
            _words(np.zeros(count), ["general"], kind != list(_SHARES).index("N01")),
        ],
        schema=schema(plan.RECORDS),
    )


def _days(numbers: Any, empty: Any = None) -> Any:
    return arrow.array(numbers.astype(np.int32), mask=empty).cast(arrow.date32())


def _words(places: Any, words: list[str], empty: Any = None) -> Any:
    return arrow.DictionaryArray.from_arrays(arrow.array(places.astype(np.int8), mask=empty), words).cast(
        arrow.string()
    )

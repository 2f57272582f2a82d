"""Sorts the rows of files that are not clustered by subject into a file a range, in one pass over them.

Memory stays flat: a batch is read, its rows are put in order of their range, and each slice goes to the file of its
range. Promises every row in exactly one file; does not promise an order inside it. The cuts come from a sample of the
subjects, so ranges are even, not equal.
"""

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scoring.batch.files import Input, Range, groups_of, ranges
from scoring.batch.sources import arrow, parquet, schema

_BATCH = 1_000_000
_SAMPLED = 32  # row groups

Step = Callable[[int, int], None]


def even(inputs: list[Input], rows: int) -> list[Range]:
    """Give ranges of about `rows` rows each, by a sample of the subjects."""
    numpy: Any = importlib.import_module("numpy")
    sample = numpy.sort(numpy.concatenate([_sample(one, numpy) for one in inputs]))
    parts = -(-sum(one.rows for one in inputs) // rows)
    places = [len(sample) * part // parts for part in range(1, parts)] if len(sample) else []
    return ranges(sorted({int(sample[place]) for place in places}))


def _sample(one: Input, numpy: Any) -> Any:
    """Read the subjects of some row groups, evenly over the input."""
    step = -(-len(one.groups) // _SAMPLED) or 1
    columns = [
        parquet.ParquetFile(group.file).read_row_group(group.number, columns=["subject"]).column("subject").to_numpy()
        for group in one.groups[::step]
    ]
    return numpy.concatenate([numpy.empty(0, "int64"), *columns])


def spread(one: Input, columns: dict[str, str], between: list[Range], folder: Path, step: Step) -> None:
    """Write every row into the file of its range; `step` is told rows done and rows in all."""
    numpy: Any = importlib.import_module("numpy")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    starts = numpy.array([low for low, _ in between], "int64")
    wanted = schema(columns)
    writers = [parquet.ParquetWriter(place(folder, number), wanted) for number in range(len(between))]
    done = 0
    try:
        for batch in _batches(one, list(columns)):
            table = arrow.Table.from_batches([batch]).cast(wanted)
            slot = numpy.searchsorted(starts, table.column("subject").to_numpy(), "right") - 1
            table = table.take(arrow.array(numpy.argsort(slot, kind="stable")))
            edges = numpy.searchsorted(numpy.sort(slot), numpy.arange(len(between) + 1))
            for number, writer in enumerate(writers):
                if edges[number + 1] > edges[number]:
                    writer.write_table(table.slice(edges[number], edges[number + 1] - edges[number]))
            done += table.num_rows
            step(done, one.rows)
    finally:
        for writer in writers:
            writer.close()


def _batches(one: Input, columns: list[str]) -> Any:
    for file in one.files:
        yield from parquet.ParquetFile(file).iter_batches(batch_size=_BATCH, columns=columns)


def place(folder: Path, number: int) -> Path:
    """Give the file of a range."""
    return folder / f"range-{number:05}.parquet"


def read(between: list[Range], folder: Path, one: Input) -> Input:
    """Give what `spread` wrote of an input, as an input."""
    found = [place(folder, number) for number in range(len(between))]
    groups = [group for file in found for group in groups_of(file, parquet.read_metadata(file))]
    return Input(tuple(found), tuple(groups), one.rows, one.digest)

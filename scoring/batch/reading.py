"""Rows out of a source, batch by batch: an Arrow table in memory, or a range of Parquet files.

Two libraries read a file side by side, each what it is better at: Polars takes half of pyarrow's time for numbers and
days, and pyarrow gives words as places in the dictionary that Parquet keeps of them. Promises every row of the range
once, in the order of the file, and keeps a few row groups in memory at most.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from scoring.batch import sources
from scoring.batch.files import InputFault
from scoring.batch.sources import ArrowTable, Group, Part, Source, arrow, parquet, schema

_BATCH = 131_072  # rows: so few that what is made of them stays near the processor
_WORDS = {"kind", "status"}

ArrowBatch = Any


def whole(source: Source, columns: Mapping[str, str]) -> ArrowTable:
    """Read a source at once."""
    return arrow.Table.from_batches(batches(source, columns), schema=schema(columns))


def batches(source: Source, columns: Iterable[str]) -> Iterator[ArrowBatch]:
    """Read a source in batches that are not empty; kinds and statuses of files come as dictionaries."""
    names = list(columns)
    if not isinstance(source, Part):
        yield from filter(len, source.select(names).to_batches(_BATCH))
        return
    for path, groups in groupby(source.groups, lambda group: group.file):
        for batch in _file(path, list(groups), names):
            subjects = batch["subject"].to_numpy()
            if source.low <= subjects.min() and subjects.max() <= source.high:
                yield batch
            elif len(mine := batch.filter(arrow.array((source.low <= subjects) & (subjects <= source.high)))):
                yield mine


def _file(path: Path, groups: list[Group], names: list[str]) -> Iterator[ArrowBatch]:
    """Read some row groups of a file, in their order."""
    polars = sources.polars()
    words = [name for name in names if name in _WORDS]
    scan = polars.scan_parquet(path).select([name for name in names if name not in _WORDS])
    file = parquet.ParquetFile(path, read_dictionary=words)
    for _, placed in groupby(enumerate(groups), lambda one: one[1].number - one[0]):  # those that follow one another
        run = [group for _, group in placed]
        before = sum(file.metadata.row_group(number).num_rows for number in range(run[0].number))
        frames = scan.slice(before, sum(group.rows for group in run)).collect_batches(chunk_size=_BATCH)
        numbers = (batch for frame in frames for batch in frame.to_arrow().to_batches())
        if not words:
            yield from numbers
            continue
        texts = file.iter_batches(_BATCH, row_groups=[group.number for group in run], columns=words, use_threads=False)
        for some, others in side_by_side(filter(len, numbers), filter(len, texts)):
            columns = [(others if name in _WORDS else some)[name] for name in names]
            yield arrow.record_batch(columns, names)


def side_by_side(some: Iterator[ArrowBatch], others: Iterator[ArrowBatch]) -> Iterator[tuple[ArrowBatch, ArrowBatch]]:
    """Cut two streams of the same rows into batches of the same rows; neither has an empty one. Raises InputFault."""
    one = other = None
    while True:
        one, other = one or next(some, None), other or next(others, None)
        if one is None and other is None:
            return
        if one is None or other is None:
            raise InputFault("A column ends before another: the file changed while it was read. Run the same again.")
        rows = min(len(one), len(other))
        yield one.slice(0, rows), other.slice(0, rows)
        one, other = one.slice(rows), other.slice(rows)

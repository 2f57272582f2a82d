"""A pass over a whole city from files: `osmanthus score batch`. Range by range, resumable, the result whole or absent.

Promises that the result depends on inputs, scorecard and day alone: the same rows in the same order from every engine,
however often the pass was interrupted. Memory is that of one range. It reads no database and no key.
"""

import errno
import importlib
import shutil
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from scoring.batch import engines, files, manifest, plan, spread
from scoring.batch.files import Input, InputFault
from scoring.batch.manifest import Manifest
from scoring.batch.sources import ArrowTable, arrow, parquet, schema
from scoring.book.scorecard import Scorecard

_ROWS = {"duckdb": 4_000_000, "polars": 4_000_000, "spark": 40_000_000}  # of a range; Spark cuts its own work further
_COARSE = 2  # so many times larger may a range be for the sake of whole row groups, which are read once
_COLUMNS = {"records": plan.RECORDS, "register": plan.REGISTER}

Progress = Callable[[str, int, int], None]


class NoSpace(ValueError):
    """The disk is full."""


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """What to score: `records` and `register` are Parquet files, folders or patterns; `out` is the result's file.

    `remote` is a Spark Connect address. `rows` is how many rows a range has about; 0 leaves it to the engine.
    """

    records: Path
    register: Path
    card: Scorecard
    as_of: date
    engine: str
    out: Path
    remote: str = ""
    rows: int = 0


class Done(msgspec.Struct, frozen=True):
    """What a pass did: citizens scored, ranges in all, and ranges that an earlier run had left."""

    citizens: int
    ranges: int
    kept: int


def run(wanted: Pass, progress: Progress = lambda _stage, _done, _total: None) -> Done:
    """Do a pass, or what is left of it. Raises InputFault, NoSpace, Busy, UnknownEngine, SparkMissing.

    `progress` is told the stage, the parts done and the parts in all.
    """
    if wanted.engine not in engines.ENGINES:
        raise engines.UnknownEngine(wanted.engine)
    inputs = {name: files.look(getattr(wanted, name), columns, name) for name, columns in _COLUMNS.items()}
    if not wanted.out.parent.is_dir():
        message = f"{wanted.out.parent} is no folder; the result is to go there."
        raise InputFault(message)
    try:
        with manifest.folder(wanted.out) as place:
            told = _manifest(wanted, inputs)
            manifest.resume(place, told)
            sorted_inputs = {name: _clustered(place, told, name, one, progress) for name, one in inputs.items()}
            kept = sum(manifest.done(place, number) for number in range(len(told.ranges)))
            citizens = _score(place, wanted, told, sorted_inputs, progress)
            shutil.rmtree(place)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        message = f"No space is left beside {wanted.out}. Free some and run the same again: finished ranges are kept."
        raise NoSpace(message) from error
    return Done(citizens, len(told.ranges), kept)


def _manifest(wanted: Pass, inputs: dict[str, Input]) -> Manifest:
    """Cut the pass into ranges, and say what their results belong to."""
    rows = wanted.rows or _ROWS[wanted.engine]
    everything = sum(one.rows for one in inputs.values())
    between = files.cut(inputs.values(), rows)
    coarse = len(between) < everything // (_COARSE * rows)
    if coarse or any(files.scattered(one, everything, between) for one in inputs.values()):
        between = spread.even(list(inputs.values()), rows)
    return Manifest(
        records=inputs["records"].digest,
        register=inputs["register"].digest,
        scorecard=wanted.card.digest,
        as_of=wanted.as_of,
        engine=wanted.engine,
        version=engines.version(wanted.engine),
        ranges=between,
        spread=[name for name, one in inputs.items() if files.scattered(one, everything, between)],
    )


def _clustered(place: Path, told: Manifest, name: str, one: Input, progress: Progress) -> Input:
    """Give an input by ranges: as it is, or sorted into them once."""
    if name not in told.spread:
        return one
    if not manifest.marked(place, name):
        stage = f"sorting {name}"
        spread.spread(one, _COLUMNS[name], told.ranges, place / name, lambda done, rows: progress(stage, done, rows))
        manifest.mark(place, name)
    return spread.read(told.ranges, place / name, one)


def _score(place: Path, wanted: Pass, told: Manifest, inputs: dict[str, Input], progress: Progress) -> int:
    """Score every range that isn't finished, and write all; the result appears when it is whole. Gives its rows."""
    citizens = 0
    with (
        engines.opened(wanted.engine, wanted.card, wanted.as_of, remote=wanted.remote) as scorer,
        _result(place / "result.parquet", wanted) as write,
    ):
        for number, between in enumerate(told.ranges):
            if manifest.done(place, number):
                table = manifest.load(place, number)
            else:
                table = scorer(inputs["records"].part(between), inputs["register"].part(between))
                _each_once(table)
                if number + 1 < len(told.ranges):  # the last one is in the result at once
                    manifest.keep(place, number, table)
            write(table)
            citizens += table.num_rows
            progress("scoring", number + 1, len(told.ranges))
    return citizens


@contextmanager
def _result(unfinished: Path, wanted: Pass) -> Generator[Callable[[ArrowTable], None]]:
    """Write tables one behind the other into a file, which gets its name at the end."""
    about = {"scorecard": wanted.card.id, "scorecard_digest": wanted.card.digest, "as_of": f"{wanted.as_of}"}
    full = [field.with_nullable(nullable=False) for field in schema(plan.columns(wanted.card))]  # spares a mark a value
    columns = arrow.schema(full, about)
    # Differences of small numbers need few bits: they cost less than to compress, and any reader knows them.
    encoded = {field.name: "DELTA_BINARY_PACKED" for field in full if arrow.types.is_integer(field.type)}
    with parquet.ParquetWriter(
        unfinished, columns, use_dictionary=["tier"], column_encoding=encoded, compression="none",
        write_statistics=["subject"],
    ) as writer:  # fmt: skip

        def write(table: ArrowTable) -> None:
            if table.num_rows:
                writer.write_table(table.cast(columns))

        yield write
    unfinished.replace(wanted.out)


def _each_once(table: ArrowTable) -> None:
    """Refuse a subject that the register names twice: it would be scored twice."""
    numpy: Any = importlib.import_module("numpy")
    subjects = table.column("subject").to_numpy()
    twice = subjects[1:][numpy.diff(subjects) == 0]
    if len(twice):
        message = f"register: the subject {twice[0]} is in it more than once. Expected: one row a subject."
        raise InputFault(message)

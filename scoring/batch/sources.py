"""What goes into an engine and comes out: Arrow tables, or ranges of Parquet files, by the schemas of the plan.

pyarrow and Polars are met here; the first carries no types that a checker can read, so tables are `Any` from here on.
"""

import ctypes
import importlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]  (none are published)
import pyarrow.compute as pc  # pyright: ignore[reportMissingTypeStubs]  (none are published)
import pyarrow.feather as pf  # pyright: ignore[reportMissingTypeStubs]  (none are published)
import pyarrow.parquet as pq  # pyright: ignore[reportMissingTypeStubs]  (none are published)

ArrowTable = Any
arrow, compute, feather, parquet = cast("Any", pa), cast("Any", pc), cast("Any", pf), cast("Any", pq)

TYPES = {
    "int64": arrow.int64(), "int32": arrow.int32(), "int16": arrow.int16(), "int8": arrow.int8(),
    "string": arrow.string(), "date": arrow.date32(), "boolean": arrow.bool_(),
}  # fmt: skip


# An allocator that gives pages back to the system asks for them anew with the next batch: a quarter of all time.
_JEMALLOC = (
    "_RJEM_MALLOC_CONF",
    "dirty_decay_ms:10000,muzzy_decay_ms:10000,narenas:2",
)  # of Polars; each arena keeps its own
_GLIBC = (
    (-3, 32 << 20),
    (-1, 1 << 30),
)  # of numpy and pyarrow: M_MMAP_THRESHOLD, which goes no higher, and M_TRIM_THRESHOLD


class Group(msgspec.Struct, frozen=True):
    """One row group: its file and number, its rows, and the subjects it may hold."""

    file: Path
    number: int
    rows: int
    low: int
    high: int


class Part(msgspec.Struct, frozen=True):
    """The rows of some Parquet files whose subject lies between `low` and `high`, both included.

    `groups` are the row groups that may hold some; `files` theirs, or one of the input if there are none.
    """

    files: tuple[Path, ...]
    groups: tuple[Group, ...]
    low: int
    high: int


Source = ArrowTable | Part
Scorer = Callable[[Source, Source], ArrowTable]


def schema(columns: Mapping[str, str]) -> Any:
    """The Arrow schema of columns named as the plan names them."""
    return arrow.schema([(name, TYPES[kind]) for name, kind in columns.items()])


def polars() -> Any:
    """Load Polars, whose jemalloc reads its settings (TUNING.md there) when it is loaded; an operator's own stay."""
    os.environ.setdefault(*_JEMALLOC)
    return importlib.import_module("polars")


def keep_pages() -> None:
    """Ask glibc, where it is, to let memory stay in the process (mallopt(3)), and pyarrow to take its memory there."""
    mallopt: Any = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for setting in _GLIBC:
            mallopt(*setting)
        arrow.set_memory_pool(arrow.system_memory_pool())

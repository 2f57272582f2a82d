"""What goes into an engine and comes out: Arrow tables, or ranges of Parquet files, by the schemas of the plan.

pyarrow carries no types that a checker can read, so its tables are `Any` from here on.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
import pyarrow as pa  # pyright: ignore[reportMissingTypeStubs]  (none are published)
import pyarrow.feather as pf  # pyright: ignore[reportMissingTypeStubs]  (none are published)
import pyarrow.parquet as pq  # pyright: ignore[reportMissingTypeStubs]  (none are published)

ArrowTable = Any
arrow, feather, parquet = cast("Any", pa), cast("Any", pf), cast("Any", pq)

TYPES = {
    "int64": arrow.int64(), "int32": arrow.int32(), "int16": arrow.int16(), "int8": arrow.int8(),
    "string": arrow.string(), "date": arrow.date32(), "boolean": arrow.bool_(),
}  # fmt: skip


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

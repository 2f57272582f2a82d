"""The two Parquet inputs of a pass from files: where they are, whether they are what was promised, how they are cut.

A pass goes by ranges of citizens, each a few million rows, so that memory stays flat and a finished range stays done.
Cuts are read off the statistics of the row groups: of files that are clustered by subject each range reads its own
share. Promises a fault with file, column and what was expected before anything is scored; does not promise to notice
values that break the contract inside a column of the right type.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from scoring.batch.sources import TYPES, Group, Part, arrow, parquet

LOWEST, HIGHEST = -(2**63), 2**63 - 1
REQUIRED = {"subject", "kind", "occurred_on", "quantity", "status", "adult_on"}
_WASTE = 2  # how often all rows may be read before they are sorted into ranges first

Range = tuple[int, int]


class InputFault(ValueError):
    """A file is not there, or isn't what the contract says; the message names file, column and what was expected."""


class Input(msgspec.Struct, frozen=True):
    """One checked input; `digest` changes when a file of it does."""

    files: tuple[Path, ...]
    groups: tuple[Group, ...]
    rows: int
    digest: str

    def part(self, subjects: Range) -> Part:
        """Give the rows of a range, from the row groups that may hold some."""
        low, high = subjects
        found = tuple(group for group in self.groups if group.low <= high and low <= group.high)
        return Part(tuple(dict.fromkeys(group.file for group in found)) or self.files[:1], found, low, high)


def look(path: Path, columns: Mapping[str, str], what: str) -> Input:
    """Find and check an input: a Parquet file, a folder of them, or a pattern. Raises InputFault."""
    files = _files(path, what)
    groups: list[Group] = []
    told = hashlib.sha256()
    for file in files:
        footer = _footer(file)
        _check(file, footer, columns)
        groups += groups_of(file, footer)
        state = file.stat()
        told.update(f"{file.resolve()}:{state.st_size}:{state.st_mtime_ns}:{footer.num_rows};".encode())
    return Input(files, tuple(groups), sum(group.rows for group in groups), told.hexdigest())


def cut(inputs: Iterable[Input], rows: int) -> list[Range]:
    """Cut all subjects into ranges of about `rows` rows, at the borders of row groups."""
    cuts: list[int] = []
    gathered = 0
    for group in sorted((group for one in inputs for group in one.groups), key=lambda group: group.low):
        if gathered >= rows and group.low > (cuts[-1] if cuts else LOWEST):
            cuts.append(group.low)
            gathered = 0
        gathered += group.rows
    return ranges(cuts)


def ranges(cuts: Iterable[int]) -> list[Range]:
    """Give the ranges between rising cuts; together they hold every subject there can be."""
    starts = [LOWEST, *cuts]
    return list(zip(starts, [start - 1 for start in starts[1:]] + [HIGHEST], strict=True))


def scattered(one: Input, everything: int, between: list[Range]) -> bool:
    """Say whether reading an input range by range would read far more than `everything`, all rows once."""
    overlaps = sum(
        group.rows for group in one.groups for low, high in between if group.low <= high and low <= group.high
    )
    return overlaps > _WASTE * everything


def _files(path: Path, what: str) -> tuple[Path, ...]:
    path = path.absolute()  # another program may read it, from another folder
    if path.is_file():
        return (path,)
    if path.is_dir():
        found = [file for file in sorted(path.rglob("*.parquet")) if file.is_file()]
    else:
        found = [file for file in sorted(path.parent.glob(path.name)) if file.is_file()] if path.parent.is_dir() else []
    if not found:
        message = f"{what}: there is no Parquet file at {path}. Give a file, a folder of *.parquet, or a pattern."
        raise InputFault(message)
    return tuple(found)


def _footer(file: Path) -> Any:
    try:
        return parquet.read_metadata(file)
    except (arrow.ArrowInvalid, OSError) as error:
        message = f"{file}: this is no Parquet file that can be read ({error})."
        raise InputFault(message) from error


def _check(file: Path, footer: Any, columns: Mapping[str, str]) -> None:
    """Hold a file's columns against the contract: names, types, and none empty that must not be."""
    found = footer.schema.to_arrow_schema()
    for name, kind in columns.items():
        if name not in found.names:
            message = f"{file}: the column `{name}` ({kind}) is missing. It has {', '.join(found.names)}."
            raise InputFault(message)
        actual = found.field(name).type
        if _plain(actual) != TYPES[kind]:
            message = f"{file}: the column `{name}` is {actual}. Expected: {kind}."
            raise InputFault(message)
    for name in REQUIRED & set(columns):
        empty = sum(group.null_count for group in _statistics(footer, name) if group and group.has_null_count)
        if empty:
            message = f"{file}: the column `{name}` is empty in {empty} rows. Expected: a value in each."
            raise InputFault(message)


def _plain(kind: Any) -> Any:
    """Give the type without the ways in which text can be stored."""
    if arrow.types.is_dictionary(kind):
        kind = kind.value_type
    return TYPES["string"] if arrow.types.is_large_string(kind) or arrow.types.is_string_view(kind) else kind


def _statistics(footer: Any, column: str) -> list[Any]:
    """Give a column's statistics of every row group; None where there are none."""
    place = footer.schema.to_arrow_schema().names.index(column)
    return [footer.row_group(number).column(place).statistics for number in range(footer.num_row_groups)]


def groups_of(file: Path, footer: Any) -> list[Group]:
    """Give the row groups of a file, by its footer."""
    return [
        Group(
            file,
            number,
            footer.row_group(number).num_rows,
            known.min if known and known.has_min_max else LOWEST,
            known.max if known and known.has_min_max else HIGHEST,
        )
        for number, known in enumerate(_statistics(footer, "subject"))
    ]

"""Rows with what is looked up for each (`slots.ROWS`), made in memory: what `gather.joined` makes by joins.

A join costs an engine 20 to 50 ns a row, and to compare text as much again. Here kinds and statuses are compared once
in the dictionary that Parquet keeps of them anyway, a month is read at its day's place in a list, and a day of coming
of age is looked up once a person, where one subject's rows end and the next one's begin. Promises the same rows in
whatever order the input is; does not promise speed when a subject's rows do not stand together.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from scoring.batch.slots import ROWS
from scoring.batch.sources import ArrowTable, Part, Source, arrow, parquet, schema

_READ = ("subject", "kind", "occurred_on", "quantity", "level", "from_on", "until_on", "status")
_WORDS = {"kind", "status"}
_EPOCH = date(1970, 1, 1)
_NEVER = np.int32((date.max - _EPOCH).days)
_NONE = -1
_BATCH = 1_048_576  # rows: as many as writers put into a row group by themselves

Array = np.ndarray[Any, np.dtype[Any]]


class Lookups:
    """What is looked up for the rows of a scorecard on a day, as `slots.kinds` and `slots.months` give it."""

    def __init__(self, kinds: Sequence[tuple[str, int, date]], months: Mapping[date, int]) -> None:
        """`months` are consecutive days."""
        self._kinds = {kind: slot for kind, slot, _ in kinds}
        afters = {slot: _day(after) for _, slot, after in kinds}
        self._afters = np.array([*(afters[slot] for slot in sorted(afters)), _NEVER], "int32")
        self._before = _day(min(months)) - 1
        self._months = np.array([0, *(months[day] for day in sorted(months)), 0])

    def rows(self, records: Source, register: ArrowTable) -> ArrowTable:
        """Make the rows of records. Whatever counts for nobody has slot -1, for the plan to leave."""
        ages = _Ages(register)
        found = [self._looked_up(piece, ages) for piece in read(records, _READ)]
        return arrow.concat_tables([schema(ROWS).empty_table(), *found])

    def _looked_up(self, piece: ArrowTable, ages: "_Ages") -> ArrowTable:
        days = _numbers(piece["occurred_on"].cast(arrow.int32()))
        slots = _chosen(piece["kind"], self._kinds) | _chosen(piece["status"], {"active": 0})
        counts = (days > self._afters.take(slots, mode="wrap")) & (days >= ages.of(_numbers(piece["subject"])))
        months = self._months.take(days - self._before, mode="clip")
        made = {"slot": arrow.array(np.where(counts, slots, np.int8(_NONE))), "month": arrow.array(months)}
        return arrow.table({name: made[name] if name in made else piece[name] for name in ROWS})


class _Ages:
    """The days on which the people of a register come of age."""

    def __init__(self, register: ArrowTable) -> None:
        subjects = _numbers(register["subject"])
        order = np.argsort(subjects, kind="stable")
        self._subjects = subjects[order]
        days = _numbers(register["adult_on"].cast(arrow.int32()))[order]
        self._days = np.append(days, _NEVER)

    def of(self, subjects: Array) -> Array:
        """Give the day of each subject; whoever is not registered never comes of age."""
        begins = np.flatnonzero(np.append(True, subjects[1:] != subjects[:-1])[: len(subjects)])
        some = subjects[begins]
        places = np.searchsorted(self._subjects, some)
        known = np.append(self._subjects, 0)[places] == some  # behind the last there is the day that never comes
        days = np.where(known, self._days[places], _NEVER)
        return np.repeat(days, np.diff(np.append(begins, len(subjects))))


def _day(day: date) -> int:
    return (day - _EPOCH).days


def whole(source: Source, columns: Mapping[str, str]) -> ArrowTable:
    """Read a source at once."""
    return arrow.concat_tables([schema(columns).empty_table(), *read(source, columns)])


def read(source: Source, columns: Iterable[str]) -> Iterator[ArrowTable]:
    """Read a source piece by piece; kinds and statuses of files come as places in their dictionaries."""
    names = list(columns)
    if not isinstance(source, Part):
        yield source.select(names)
        return
    for group in source.groups:
        file = parquet.ParquetFile(group.file, read_dictionary=[name for name in names if name in _WORDS])
        for batch in file.iter_batches(_BATCH, row_groups=[group.number], columns=names):
            piece = arrow.Table.from_batches([batch])
            if group.low < source.low or source.high < group.high:
                subjects = _numbers(piece["subject"])
                piece = piece.filter(arrow.array((source.low <= subjects) & (subjects <= source.high)))
            yield piece


def _chosen(words: Any, table: Mapping[str, int]) -> Array:
    """Give each word its number, -1 where it has none."""
    if not arrow.types.is_dictionary(words.type):
        words = words.dictionary_encode()
    whole = words.combine_chunks()
    numbers = [table.get(word, _NONE) for word in whole.dictionary.to_pylist()]
    return np.array([*numbers, _NONE], "int8").take(_numbers(whole.indices.fill_null(_NONE)), mode="wrap")


def _numbers(column: Any) -> Array:
    return column.to_numpy(zero_copy_only=False) if isinstance(column, arrow.Array) else column.to_numpy()

"""Rows with what is looked up for each (`slots.FREQUENT`, `slots.SELDOM`), made in memory: what `gather.joined` joins.

A join costs an engine 20 to 50 ns a row, and to compare text as much again. Here kinds and statuses are compared once
in the dictionary that Parquet keeps of them anyway; a row's bit, and whether its day is in its window, is read at its
slot and day in one small table; and a day of coming of age is looked up once a person, where one subject's rows end and
the next one's begin. Rows that count for nobody go no further. Promises the same rows in whatever order the input is;
does not promise speed when a subject's rows do not stand together.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np

from scoring.batch import slots
from scoring.batch.gather import Rows
from scoring.batch.slots import FREQUENT, OFTEN, SELDOM
from scoring.batch.sources import ArrowTable, Part, Source, arrow, parquet, schema
from scoring.book.scorecard import Scorecard

_READ = ("subject", "kind", "occurred_on", "quantity", "level", "from_on", "until_on", "status")
_WORDS = {"kind", "status"}
_EPOCH = date(1970, 1, 1)
_NEVER = np.int32((date.max - _EPOCH).days)
_NONE = -1
_BATCH = 262_144  # rows: so few that what is made of them stays near the processor

Array = np.ndarray[Any, np.dtype[Any]]


class Lookups:
    """What is looked up for the rows of a scorecard on a day, as `slots.kinds` and `slots.months` give it."""

    def __init__(self, card: Scorecard, as_of: date) -> None:
        """Make the tables: the slot of a kind, the days of a slot, and the bit of a slot's day."""
        kinds, months = slots.kinds(card, as_of), slots.months(as_of)
        self._slots = {kind: slot for kind, slot, _, _ in kinds}
        self._seldom = sum(one.gathered == OFTEN for one in slots.slots(card, as_of))
        self._afters = np.array([_day(one.after) for one in slots.slots(card, as_of)], "int32")
        bits = [[0] * (len(months) + 2)] * (len(self._afters) + 1)  # a day before, one behind, and no slot: none
        for _, slot, after, lift in kinds:
            if slot < self._seldom:
                bits[slot] = [0, *(bit * lift if day > after else 0 for day, bit in sorted(months.items())), 0]
        self._before, self._behind = _day(min(months)) - 1, _day(as_of) + 1
        self._begins = (np.arange(len(bits)) * len(bits[0]) - self._before).astype("int32")
        self._bits = np.array(bits).ravel()

    def rows(self, records: Source, register: ArrowTable) -> Rows:
        """Make the rows of records that count."""
        ages = _Ages(register)
        found = [self._looked_up(piece, ages) for piece in read(records, _READ)]
        return Rows(
            arrow.concat_tables([schema(FREQUENT).empty_table(), *(one.frequent for one in found)]),
            arrow.concat_tables([schema(SELDOM).empty_table(), *(one.seldom for one in found)]),
        )

    def _looked_up(self, piece: ArrowTable, ages: "_Ages") -> Rows:
        days = _numbers(piece["occurred_on"].cast(arrow.int32()))
        taken = _chosen(piece["kind"], self._slots) | _chosen(piece["status"], {"active": 0})
        adult = days >= ages.of(_numbers(piece["subject"]))
        return Rows(self._frequent(piece, days, taken, adult), self._rare(piece, days, taken, adult))

    def _frequent(self, piece: ArrowTable, days: Array, taken: Array, adult: Array) -> ArrowTable:
        places = np.clip(days, self._before, self._behind)
        places += self._begins.take(taken, mode="wrap")
        bits = self._bits.take(places)
        some = np.flatnonzero((bits != 0) & adult)
        quantities, subjects = _numbers(piece["quantity"]), _numbers(piece["subject"])
        made = [column.take(some) for column in (subjects, taken, bits, quantities)]
        return arrow.table(made, schema=schema(FREQUENT))

    def _rare(self, piece: ArrowTable, days: Array, taken: Array, adult: Array) -> ArrowTable:
        some = np.flatnonzero((taken >= self._seldom) & adult)
        some = some[days[some] > self._afters[taken[some]]]
        found = piece.select([name for name in SELDOM if name != "slot"]).take(arrow.array(some))
        return found.add_column(1, "slot", arrow.array(taken[some])).cast(schema(SELDOM))


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
    for path, groups in groupby(source.groups, lambda group: group.file):
        file = parquet.ParquetFile(path, read_dictionary=[name for name in names if name in _WORDS])
        for group in groups:
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

"""The rows that count (`slots.frequent`, `slots.SELDOM`), made in memory: what `gather.joined` makes by joins.

A join costs an engine 20 to 50 ns a row, to compare text as much again, and to group rows by a person no less. Here
kinds and statuses are compared once in the dictionary that Parquet keeps of them anyway; what a row adds to a pile is
read at its slot and day in one small table, where days outside of the slot's window add nothing; a day of coming of age
is looked up once a person, where one subject's rows end and the next one's begin; and what those rows add is put
together there. Promises the same piles in whatever order the input is; does not promise speed, nor one row a person,
when a subject's rows do not stand together.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any

import numpy as np

from scoring.batch import slots
from scoring.batch.gather import Rows
from scoring.batch.slots import OFTEN, SELDOM, Pile, Slot
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
        """Make the tables: the slot of a kind, where a slot's days begin, and what each of them adds to each pile."""
        found, days = slots.slots(card, as_of), sorted(slots.months(as_of).items())
        self._slots = {kind: slot for kind, slot, _, _ in slots.kinds(card, as_of)}
        self._seldom = sum(one.gathered == OFTEN for one in found)
        self._afters = np.array([_day(one.after) for one in found], "int32")
        self._before, self._behind = _day(days[0][0]) - 1, _day(as_of) + 1
        wide = len(days) + 2  # with a day before and one behind, which add nothing
        self._begins = np.arange(len(found) + 1) * wide - self._before  # the last is no slot's
        self._wanted = schema(slots.frequent(card))
        self._piles: list[tuple[Pile, Array]] = []
        for pile in slots.piles(card):
            added = np.zeros((len(found) + 1, wide), "int64")
            for number, one in enumerate(found):
                if one.rule.id in pile.places:
                    added[number, 1:-1] = [_adds(pile, one, bit) if day > one.after else 0 for day, bit in days]
            self._piles.append((pile, added.ravel()))

    def rows(self, records: Source, register: ArrowTable) -> Rows:
        """Make the rows of records that count."""
        ages = _Ages(register)
        found = [self._looked_up(piece, ages) for piece in read(records, _READ)]
        return Rows(
            arrow.concat_tables([self._wanted.empty_table(), *(one.frequent for one in found)]),
            arrow.concat_tables([schema(SELDOM).empty_table(), *(one.seldom for one in found)]),
        )

    def _looked_up(self, piece: ArrowTable, ages: "_Ages") -> Rows:
        subjects, days = _numbers(piece["subject"]), _numbers(piece["occurred_on"].cast(arrow.int32()))
        begins = np.flatnonzero(np.append(True, subjects[1:] != subjects[:-1])[: len(subjects)])
        some = subjects[begins]
        taken = _chosen(piece["kind"], self._slots) | _chosen(piece["status"], {"active": 0})
        taken[days < np.repeat(ages.of(some), np.diff(np.append(begins, len(subjects))))] = _NONE
        return Rows(self._frequent(piece, some, begins, days, taken), self._rare(piece, days, taken))

    def _frequent(self, piece: ArrowTable, some: Array, begins: Array, days: Array, taken: Array) -> ArrowTable:
        """What each of some subjects, whose rows begin here and there, adds to each pile."""
        places = self._begins.take(taken, mode="wrap")
        places += np.clip(days, self._before, self._behind)
        made = [some]
        for pile, table in self._piles:
            added = table.take(places)
            if pile.measure == "sum":
                added *= _numbers(piece["quantity"])
            together = np.bitwise_or if pile.measure == "months" else np.add
            made.append(together.reduceat(added, begins) if len(begins) else added)
        return arrow.table(made, schema=self._wanted)

    def _rare(self, piece: ArrowTable, days: Array, taken: Array) -> ArrowTable:
        some = np.flatnonzero(taken >= self._seldom)
        some = some[days[some] > self._afters[taken[some]]]
        found = piece.select([name for name in SELDOM if name != "slot"]).take(arrow.array(some))
        return found.add_column(1, "slot", arrow.array(taken[some])).cast(schema(SELDOM))


def _adds(pile: Pile, one: Slot, bit: int) -> int:
    """Give what a row of a month adds to a pile: its bit; of a sum, how many times its quantity."""
    return bit * one.lift if pile.measure == "months" else 1


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
        places = np.searchsorted(self._subjects, subjects)
        known = np.append(self._subjects, 0)[places] == subjects  # behind the last there is the day that never comes
        return np.where(known, self._days[places], _NEVER)


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

"""Units of everybody (`slots.units`), made in memory: what `gather.joined` makes by joins.

A join costs an engine 20 to 50 ns a row, to compare text as much again, and to group rows by a person no less. Here
kinds and statuses are compared once in the dictionary that Parquet keeps of them anyway; what a row's month adds to a
word is read at its slot and day in one small table, where days outside of the slot's window add nothing; whom rows are
about is looked up where one subject's end and the next one's begin; and what those rows add is put together there, and
then put into the word, which is an array with a place for everybody. The few rows that are about something else than
months are left to `scoring.batch.seldom`. Promises the same units in whatever order the input is; does not promise
speed when a subject's rows do not stand together.
"""

from datetime import date
from typing import Any

import numpy as np

from scoring.batch import reading, seldom, slots, sources
from scoring.batch.plan import RECORDS
from scoring.batch.reading import ArrowBatch
from scoring.batch.seldom import NEVER, Array, day
from scoring.batch.slots import MONTHLY, Word
from scoring.batch.sources import ArrowTable, Source, arrow, schema
from scoring.book.scorecard import Scorecard

_READ = ("subject", "kind", "occurred_on", "quantity", "level", "from_on", "until_on", "status")
_MAYBE = {name: RECORDS[name] for name in ("level", "from_on", "until_on")}  # columns with gaps, unknown to numpy
_REST = {"person": "int64", "slot": "int8", "occurred_on": "int32", "quantity": "int64"} | _MAYBE
_EMPTY = {"level": 0, "from_on": NEVER, "until_on": NEVER}


class Lookups:
    """What is looked up for the rows of a scorecard on a day, as `slots.kinds` and `slots.months` give it."""

    def __init__(self, card: Scorecard, as_of: date) -> None:
        """Make the tables of what a day of a slot is; days of no slot, which add nothing, come first."""
        sources.keep_pages()
        self._card, self._as_of = card, as_of
        self._slots, self._days = slots.slots(card, as_of), sorted(slots.months(as_of).items())
        self._today, self._before = day(as_of), day(self._days[0][0]) - 1
        self._wide = len(self._days) + 2  # with a day before and one behind, which add nothing
        self._begins = {kind: self._begin(slot) for kind, slot, _, _ in slots.kinds(card, as_of)}
        self._seldom = self._wide * (1 + sum(one.gathered == MONTHLY for one in self._slots))
        self._afters = np.array([day(one.after) for one in self._slots], "int32")
        self._words = [(word.masks, self._bits(word)) for word in slots.words(card)]
        self._schema = schema(slots.units(card))

    def _bits(self, word: Word) -> Array:
        """Give what a day of each slot adds to a word."""
        bits = np.zeros((len(self._slots) + 1, self._wide), "int64")
        for number, one in enumerate(self._slots, 1):
            if one.rule.id in word.masks:
                bits[number, 1:-1] = [bit * one.lift if on > one.after else 0 for on, bit in self._days]
        return bits.ravel()

    def units(self, records: Source, register: ArrowTable) -> ArrowTable:
        """Make every adult's units."""
        adults = _Adults(register, self._today)
        words = [np.zeros(len(adults.days), "int64") for _ in self._words]
        rest = [self._put(piece, adults, words) for piece in reading.batches(records, _READ)]
        found = arrow.Table.from_batches(rest, schema=schema(_REST))
        units = seldom.units(self._card, _rows(found), len(adults.days), self._as_of)
        for (masks, _), word in zip(self._words, words, strict=True):
            units |= {f"u_{rule}": np.bitwise_count(word & mask) for rule, mask in masks.items()}
        columns = {"subject": adults.subjects} | {name: unit[:-1] for name, unit in units.items()}  # the last is nobody
        return arrow.table([_column(columns[field.name], field.type) for field in self._schema], schema=self._schema)

    def _put(self, piece: ArrowBatch, adults: "_Adults", words: list[Array]) -> ArrowBatch:
        """Put the rows of a piece into the words; gives the rest of those that count."""
        subjects, days = _numbers(piece["subject"]), _numbers(piece["occurred_on"].cast(arrow.int32()))
        begins = np.append(0, np.flatnonzero(subjects[1:] != subjects[:-1]) + 1)
        lengths = np.diff(begins, append=len(subjects))
        people = adults.places(subjects[begins])
        places = self._of_kinds(piece)
        places += np.clip(days, self._before, self._today + 1)
        np.copyto(places, 0, where=days < np.repeat(adults.days[people], lengths))
        for (_, bits), word in zip(self._words, words, strict=True):
            np.bitwise_or.at(word, people, np.bitwise_or.reduceat(bits.take(places), begins))
        some = np.flatnonzero(places >= self._seldom)
        found = places[some] // self._wide - 1
        counted = days[some] > self._afters[found]
        some, found = some[counted], found[counted]
        rows = (people.repeat(lengths)[some], found.astype("int8"), days[some], _numbers(piece["quantity"])[some])
        gaps = piece.select(list(_MAYBE)).take(arrow.array(some)).columns
        return arrow.record_batch([*map(arrow.array, rows), *gaps], schema=schema(_REST))

    def _begin(self, slot: int) -> int:
        """Give what to add to a day for its place in a table; -1 is no slot."""
        return (slot + 1) * self._wide - self._before

    def _of_kinds(self, piece: ArrowBatch) -> Array:
        """Give what to add to each row's day, by its kind; that of no slot when it is not active."""
        (kind, kinds), (status, statuses) = _words(piece["kind"]), _words(piece["status"])
        begins = np.array([self._begins.get(one or "", self._begin(-1)) for one in kinds], "int64")
        active = np.array([one == "active" for one in statuses])
        table = np.where(active, begins[:, np.newaxis], self._begin(-1)).ravel()
        return table.take(kind * np.int32(len(statuses)) + status)


class _Adults:
    """The adults of a register by subject, and when they came of age; behind them is nobody, who never does."""

    def __init__(self, register: ArrowTable, today: int) -> None:
        days = _numbers(register["adult_on"].cast(arrow.int32()))
        subjects = _numbers(register["subject"])
        adult = days <= today
        order = np.argsort(subjects[adult], kind="stable")
        self.subjects, self.days = subjects[adult][order], np.append(days[adult][order], np.int32(NEVER))
        self._padded = np.append(self.subjects, 0)

    def places(self, subjects: Array) -> Array:
        """Give the place of each subject, that of nobody for whoever is not among the adults."""
        places = np.searchsorted(self.subjects, subjects)
        return np.where(self._padded[places] == subjects, places, len(self.subjects))


def _rows(found: ArrowTable) -> seldom.Rows:
    """Give rows as arrays, days as numbers."""
    columns: list[Array] = []
    for name, kind in _REST.items():
        column = found[name].cast(arrow.int32()) if kind == "date" else found[name]
        columns.append(_numbers(column.fill_null(_EMPTY[name]) if name in _EMPTY else column))
    return seldom.Rows(*columns)


def _column(unit: Array, kind: Any) -> Any:
    return arrow.array(unit).cast(kind) if arrow.types.is_date(kind) else arrow.array(unit.astype("int64", copy=False))


def _words(words: Any) -> tuple[Array, list[str | None]]:
    """Give each word's place in a list; it ends with None, for where there is none."""
    if not arrow.types.is_dictionary(words.type):
        words = words.dictionary_encode()
    found = words.dictionary.to_pylist()
    return _numbers(words.indices.fill_null(len(found))), [*found, None]


def _numbers(column: Any) -> Array:
    return column.to_numpy(zero_copy_only=False) if isinstance(column, arrow.Array) else column.to_numpy()

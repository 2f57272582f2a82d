"""Units and rows that count (`slots.units`, `slots.SELDOM`), made in memory: what `gather.joined` makes by joins.

A join costs an engine 20 to 50 ns a row, to compare text as much again, and to group rows by a person no less. Here
kinds and statuses are compared once in the dictionary that Parquet keeps of them anyway; what a row adds to a pile is
read at its slot and day in one small table, where days outside of the slot's window add nothing; whom rows are about is
looked up where one subject's end and the next one's begin; and what those rows add is put together there, and then put
onto the pile, which is an array with a place for everybody. Promises the same units in whatever order the input is;
does not promise speed when a subject's rows do not stand together.
"""

from datetime import date
from typing import Any

import numpy as np

from scoring.batch import reading, slots
from scoring.batch.gather import Rows
from scoring.batch.reading import ArrowBatch
from scoring.batch.slots import OFTEN, SELDOM, Pile, Slot
from scoring.batch.sources import ArrowTable, Source, arrow, schema
from scoring.book.scorecard import Scorecard

_READ = ("subject", "kind", "occurred_on", "quantity", "level", "from_on", "until_on", "status")
_SELDOM = schema(SELDOM)
_EPOCH = date(1970, 1, 1)
_NEVER = np.int32((date.max - _EPOCH).days)
# Bytes; nobody writes there. When glibc frees a block so large it stops giving memory back for blocks that are smaller
# (mallopt(3), M_MMAP_THRESHOLD): else each batch would ask the system for its arrays' pages anew, a fifth of all time.
_LARGEST = 32_000_000

Array = np.ndarray[Any, np.dtype[Any]]


class Lookups:
    """What is looked up for the rows of a scorecard on a day, as `slots.kinds` and `slots.months` give it."""

    def __init__(self, card: Scorecard, as_of: date) -> None:
        """Make the tables of what a day of a slot adds to each pile; days of no slot, which add nothing, come first."""
        np.empty(_LARGEST, "int8")
        found, days = slots.slots(card, as_of), sorted(slots.months(as_of).items())
        self._today, self._before = _day(as_of), _day(days[0][0]) - 1
        self._wide = len(days) + 2  # with a day before and one behind, which add nothing
        self._begins = {kind: self._begin(slot) for kind, slot, _, _ in slots.kinds(card, as_of)}
        self._seldom = self._begin(sum(one.gathered == OFTEN for one in found))
        self._afters = np.array([_day(one.after) for one in found], "int32")
        self._wanted = schema(slots.units(card))
        self._piles: list[tuple[Pile, Array]] = []
        for pile in slots.piles(card):
            added = np.zeros((len(found) + 1, self._wide), "int64")
            for number, one in enumerate(found, 1):
                if one.rule.id in pile.masks:
                    added[number, 1:-1] = [_adds(pile, one, bit) if day > one.after else 0 for day, bit in days]
            self._piles.append((pile, added.ravel()))

    def rows(self, records: Source, register: ArrowTable) -> Rows:
        """Make every adult's units, and the seldom rows that count."""
        adults = _Adults(register, self._today)
        piles = [np.zeros(len(adults.days), "int64") for _ in self._piles]
        seldom = [self._put(piece, adults, piles) for piece in reading.batches(records, _READ)]
        units = {"subject": adults.subjects}
        for (pile, _), everybody in zip(self._piles, piles, strict=True):
            for rule, mask in pile.masks.items():
                mine = everybody[:-1] & mask
                units[f"u_{rule}"] = np.bitwise_count(mine) if pile.measure == "months" else mine
        people = arrow.table([units[name].astype("int64") for name in self._wanted.names], schema=self._wanted)
        return Rows(people, arrow.Table.from_batches(seldom, schema=_SELDOM))

    def _put(self, piece: ArrowBatch, adults: "_Adults", piles: list[Array]) -> ArrowBatch:
        """Put the rows of a piece onto the piles; gives those that are seldom."""
        subjects, days = _numbers(piece["subject"]), _numbers(piece["occurred_on"].cast(arrow.int32()))
        begins = np.append(0, np.flatnonzero(subjects[1:] != subjects[:-1]) + 1)
        people = adults.places(subjects[begins])
        places = self._slots(piece)
        young = days < np.repeat(adults.days[people], np.diff(begins, append=len(subjects)))
        np.copyto(places, self._begin(-1), where=young)
        seldom = self._rare(piece, days, places)
        places += np.clip(days, self._before, self._today + 1)
        for (pile, table), everybody in zip(self._piles, piles, strict=True):
            added = table.take(places)
            if pile.measure == "sum":
                added *= _numbers(piece["quantity"])
            together = np.bitwise_or if pile.measure == "months" else np.add
            together.at(everybody, people, together.reduceat(added, begins))
        return seldom

    def _begin(self, slot: int) -> int:
        """Give what to add to a day for its place in a table; -1 is no slot."""
        return (slot + 1) * self._wide - self._before

    def _slots(self, piece: ArrowBatch) -> Array:
        """Give what to add to each row's day, by its kind; that of no slot when it is not active."""
        (kind, kinds), (status, statuses) = _words(piece["kind"]), _words(piece["status"])
        begins = np.array([self._begins.get(one or "", self._begin(-1)) for one in kinds], "int64")
        active = np.array([one == "active" for one in statuses])
        table = np.where(active, begins[:, np.newaxis], self._begin(-1)).ravel()
        return table.take(kind * np.int32(len(statuses)) + status)

    def _rare(self, piece: ArrowBatch, days: Array, places: Array) -> ArrowBatch:
        """Give the rows of seldom slots that count."""
        some = np.flatnonzero(places >= self._seldom)
        found = (places[some] - self._begin(0)) // self._wide
        counted = days[some] > self._afters[found]
        rows = piece.select([name for name in SELDOM if name != "slot"]).take(arrow.array(some[counted]))
        columns = rows.columns
        columns.insert(1, arrow.array(found[counted], _SELDOM.field("slot").type))
        return arrow.record_batch(columns, schema=_SELDOM)


def _adds(pile: Pile, one: Slot, bit: int) -> int:
    """Give what a row of a month adds to a pile: its bit; of a sum, how many times its quantity."""
    return bit * one.lift if pile.measure == "months" else 1


class _Adults:
    """The adults of a register by subject, and when they came of age; behind them is nobody, who never does."""

    def __init__(self, register: ArrowTable, today: int) -> None:
        days = _numbers(register["adult_on"].cast(arrow.int32()))
        subjects = _numbers(register["subject"])
        adult = days <= today
        order = np.argsort(subjects[adult], kind="stable")
        self.subjects, self.days = subjects[adult][order], np.append(days[adult][order], _NEVER)
        self._padded = np.append(self.subjects, 0)

    def places(self, subjects: Array) -> Array:
        """Give the place of each subject, that of nobody for whoever is not among the adults."""
        places = np.searchsorted(self.subjects, subjects)
        return np.where(self._padded[places] == subjects, places, len(self.subjects))


def _day(day: date) -> int:
    return (day - _EPOCH).days


def _words(words: Any) -> tuple[Array, list[str | None]]:
    """Give each word's place in a list; it ends with None, for where there is none."""
    if not arrow.types.is_dictionary(words.type):
        words = words.dictionary_encode()
    found = words.dictionary.to_pylist()
    return _numbers(words.indices.fill_null(len(found))), [*found, None]


def _numbers(column: Any) -> Array:
    return column.to_numpy(zero_copy_only=False) if isinstance(column, arrow.Array) else column.to_numpy()

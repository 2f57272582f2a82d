"""The library's own file: which card goes with which subject, what a code gave, where each reader stands.

SQLite, mode 0600, on the library's machine and nowhere else: nothing in it is ever sent to the city but a subject that
came from there. Each verb is one small transaction; a program that was killed has either done it or not. Holds no
title, no name and nothing about points.
"""

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import msgspec

from api.sip2.city import Ruling
from api.sip2.limits import Standing

_TABLES = """
create table if not exists held (
  card text, perk text, subject text, until text not null, told text not null, primary key (card, perk, subject)
);
create table if not exists reader (
  card text primary key, state text not null, rung text, own text not null, own_items integer, wanted text not null
);
create table if not exists swept (day text primary key);
"""
_STANDING = "select state, rung, own, own_items from reader where card = ?"
_KEEP = """insert into reader values (:card, :state, :rung, :own, :own_items, :wanted) on conflict (card) do update
set state = :state, rung = :rung, wanted = :wanted"""


class Held(msgspec.Struct, frozen=True):
    """A perk that goes with a card until the end of a day.

    `subject`: that of a standing consent, about which the city is asked each time; empty for the one use of a code,
    which is over, and of which `told` keeps what the perk gives.
    """

    card: str
    perk: str
    until: date
    subject: str = ""
    told: Ruling | None = None


class Readers:
    """The file."""

    def __init__(self, path: Path) -> None:
        """Open it, or make it for its owner's eyes alone."""
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("pragma journal_mode = wal")
        self._file.executescript(_TABLES)

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def hold(self, held: Held) -> None:
        """Keep a perk with a card."""
        row = (held.card, held.perk, held.subject, held.until.isoformat(), msgspec.json.encode(held.told).decode())
        self._file.execute("insert or replace into held values (?, ?, ?, ?, ?)", row)

    def held(self, card: str, *, on: date) -> list[Held]:
        """What goes with a card on a day, by perk."""
        statement = "select perk, until, subject, told from held where card = ? and until >= ? order by perk, subject"
        return [
            Held(card, perk, date.fromisoformat(until), subject, msgspec.json.decode(told, type=Ruling | None))
            for perk, until, subject, told in self._file.execute(statement, (card, on.isoformat()))
        ]

    def drop(self, card: str, perk: str | None = None) -> int:
        """Forget one perk of a card, or all; how many that were."""
        statement = "delete from held where card = ? and coalesce(perk = ?, true)"
        return self._file.execute(statement, (card, perk)).rowcount

    def drop_subject(self, subject: str) -> int:
        """Forget a subject whose consent has ended; how many links that were."""
        return self._file.execute("delete from held where subject = ? and subject <> ''", (subject,)).rowcount

    def drop_past(self, *, today: date) -> int:
        """Forget what was good until a day that is over; how many links that were."""
        return self._file.execute("delete from held where until < ?", (today.isoformat(),)).rowcount

    def standing(self, card: str) -> Standing | None:
        """Where a reader stands, if we ever moved them."""
        row = self._file.execute(_STANDING, (card,)).fetchone()
        return None if row is None else Standing(*row)

    def wanted(self, card: str) -> frozenset[str]:
        """The perks that were granted when the reader was last asked about."""
        row = self._file.execute("select wanted from reader where card = ?", (card,)).fetchone()
        return frozenset(row[0].split()) if row else frozenset()

    def keep(self, card: str, standing: Standing, wanted: frozenset[str]) -> None:
        """Note where a reader stands; their own category is never overwritten."""
        said = {**msgspec.structs.asdict(standing), "card": card, "wanted": " ".join(sorted(wanted))}
        self._file.execute(_KEEP, said)

    def forget(self, card: str) -> None:
        """Delete where a reader stands: they are an ordinary one again, or a librarian has moved them."""
        self._file.execute("delete from reader where card = ?", (card,))

    def swept(self) -> date | None:
        """The last day of which the city told what ended."""
        (day,) = self._file.execute("select max(day) from swept").fetchone()
        return None if day is None else date.fromisoformat(day)

    def sweep(self, day: date) -> None:
        """Note that the city told what ended on a day."""
        self._file.execute("insert or ignore into swept values (?)", (day.isoformat(),))

    def rungs(self) -> set[str]:
        """The names of the rungs on which somebody stands."""
        return {row[0] for row in self._file.execute("select distinct rung from reader where rung is not null")}

    def moved(self) -> list[str]:
        """The cards of those whom we moved, or began to move."""
        return [row[0] for row in self._file.execute("select card from reader order by card")]


@contextmanager
def opened(path: Path) -> Generator[Readers]:
    """The file for the length of a block."""
    readers = Readers(path)
    try:
        yield readers
    finally:
        readers.close()

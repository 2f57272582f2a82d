"""Rural schemes as declared, dated tables: who declared one, for which months, and the names of its grades.

Pure. A scheme may have several editions of one id, never two for one month; a grade is of a month (`period`), so an
edition covers whole months and the month alone says which table a grade is read by, whenever it is sent. What is kept
of a grade is its row, so that a later edition changes nothing about a record. SZ24 (二十五): rural points are linked to
桂花分 as guidance; a village declares its table, the city releases it by two persons like any other rule.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import msgspec

from core.policyfile import Table
from scoring.book import basis
from scoring.book.basis import Basis
from scoring.book.fieldcheck import Refused

MOST = 6
_LONGEST = 32
_ALWAYS = date(1900, 1, 1)  # the earliest day that a line may bear


class Scheme(msgspec.Struct, frozen=True):
    """One edition of a scheme, in force from `valid_from` to `valid_until`, both included; None: until further notice.

    `declared_by` is the village or township; `source`, where it is not empty, the id of the only source that may send
    it. `grades` are the names of rows 1 to 6, the lowest first.
    """

    id: str
    name: str
    declared_by: str
    source: str
    valid_from: date
    valid_until: date | None
    grades: tuple[str, ...]
    basis: Basis

    def covers(self, day: date) -> bool:
        """Say whether a day is one of this edition."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


class Schemes:
    """The editions by scheme."""

    def __init__(self, editions: Sequence[Scheme]) -> None:
        """Take every edition of every scheme."""
        self._editions: dict[object, list[Scheme]] = {}
        for edition in editions:
            self._editions.setdefault(edition.id, []).append(edition)

    def row(self, scheme: object, period: object, grade: object, provider: str) -> int:
        """Give the row, 1 to 6, of a grade sent by name or as a row, by the edition of its month YYYY-MM.

        `provider` is the sending source, empty when there is none yet. Raises `Refused`.
        """
        edition = self._edition(scheme, date.fromisoformat(f"{period}-01"))
        if provider and edition.source not in {"", provider}:
            raise Refused("kind_not_permitted", "This scheme is declared to be sent by another source. Leave it out.")
        most = len(edition.grades)
        if isinstance(grade, int) and 1 <= grade <= most:
            return grade
        if grade in edition.grades:
            return edition.grades.index(str(grade)) + 1
        detail = f"`fields.grade` is not in the scheme's table of that month. Send a name of it, or a row, 1 to {most}."
        raise Refused("malformed", detail)

    def _edition(self, scheme: object, month: date) -> Scheme:
        if scheme not in self._editions:
            detail = "`fields.scheme` is no declared scheme. See `schemes` of /v1/rules/catalogue, or have it declared."
            raise Refused("malformed", detail)
        found = next((one for one in self._editions[scheme] if one.covers(month)), None)
        if found is None:
            detail = "`fields.period` lies in no edition of this scheme. Correct it, or have the table declared first."
            raise Refused("malformed", detail)
        return found


def read(tables: Sequence[Table], *, draft: bool) -> tuple[Scheme, ...]:
    """Read every `[[scheme]]`; a `draft` must say who declared it and from when.

    A catalogue published before schemes were dated stays readable: its schemes hold for every day.
    """
    found = [_edition(table, draft=draft) for table in tables]
    _overlaps(found, tables)
    return tuple(found)


def _edition(table: Table, *, draft: bool) -> Scheme:
    declared = draft or any(table.has(key) for key in ("name", "declared_by", "valid_from"))
    known = table.text("id")
    made = Scheme(
        id=known,
        name=table.text("name") if declared else known,
        declared_by=table.text("declared_by") if declared else "",
        source=table.text("source") if table.has("source") else "",
        valid_from=table.day("valid_from") if declared else _ALWAYS,
        valid_until=table.day("valid_until") if table.has("valid_until") else None,
        grades=table.words("grades"),
        basis=basis.read(table),
    )
    _grades(table, made.grades)
    _days(table, made)
    table.close()
    return made


def _grades(table: Table, grades: tuple[str, ...]) -> None:
    """A name must fit a line's field, and may not look like a row: a cell of a table cannot tell `3` from "3"."""
    if not grades and table.value.get("grades") == []:
        table.fault("A scheme without grades says nothing.", "Name its rows, the lowest first.", "grades")
    if len(grades) > MOST:
        table.fault(f"A scheme has at most {MOST} grades.", "Join some of them.", "grades")
    for name in grades:
        if len(name) > _LONGEST or not name.isprintable() or name.isspace():
            table.fault(f"A name of a grade is not 1 to {_LONGEST} printable characters.", "Shorten it.", "grades")
        if name.strip().isdecimal():
            table.fault(f"The grade {name!r} could be taken for a row.", "Give it a name that is no number.", "grades")


def _days(table: Table, made: Scheme) -> None:
    """Whole months: a grade is of a month, and one month has one table."""
    until = made.valid_until
    if made.valid_from.day != 1:
        table.fault("An edition begins within a month.", "Begin it on the first of a month.", "valid_from")
    if until is None:
        return
    if until == date.max or (until + timedelta(days=1)).day != 1:
        table.fault("An edition ends within a month.", "Write the last day of a month; it is included.", "valid_until")
    if until < made.valid_from:
        table.fault("An edition ends before it begins.", "Correct one of the days.", "valid_until")


def _overlaps(found: Sequence[Scheme], tables: Sequence[Table]) -> None:
    """Two editions of one scheme for one day are told at the later one."""
    order = sorted(range(len(found)), key=lambda place: (found[place].id, found[place].valid_from))
    for place, after in pairwise(order):
        one, other = found[place], found[after]
        if one.id == other.id and one.covers(other.valid_from):
            message = f"This edition of `{one.id}` begins on {other.valid_from} while another is in force."
            tables[after].fault(message, "End the earlier one before, with `valid_until`.", "valid_from")

"""From live records to the rows that points are counted on.

Pure. The rows are those of the batch path's file, so that both evaluators read the same thing: one row per month, kind
and provider for what is counted by month, one per day for volunteering, one per record for honours, one per interval
for deductions. The result depends only on the set of records: order, repetition and the batches they came in change
nothing. Records of different status never share a row, so a hidden or disputed one can't ride on an active one.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from core.months import first
from scoring.book.kinds import MONTHLY

HOURS = "P08"
HOURS_A_DAY = 8


class RecordRow(msgspec.Struct, frozen=True, gc=False):
    """The plain columns of one stored record; a deduction interrupted by a dispute comes once per interval."""

    id: str
    kind: str
    provider: str
    occurred_on: date
    quantity: int
    level: int | None
    severity: str | None
    from_on: date | None
    until_on: date | None
    status: str


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One row to count, and the ids of the records behind it, sorted."""

    kind: str
    provider: str
    occurred_on: date
    quantity: int
    level: int | None
    severity: str | None
    from_on: date | None
    until_on: date | None
    status: str
    records: tuple[str, ...]


def facts(records: Iterable[RecordRow]) -> list[Fact]:
    """Derive the rows of one citizen, in a fixed order."""
    groups: dict[tuple[object, ...], list[RecordRow]] = {}
    for record in records:
        groups.setdefault(_key(record), []).append(record)
    rows = [_alone(group[0]) if len(group) == 1 else _merge(group) for group in groups.values()]
    rows.sort(key=_order)
    return rows


def _key(record: RecordRow) -> tuple[object, ...]:
    """Say with which other records a record shares its row."""
    kind = record.kind
    if kind in MONTHLY:
        return kind, record.status, first(record.occurred_on), record.provider
    if kind == HOURS:
        return kind, record.status, record.occurred_on
    return kind, record.status, record.id, record.from_on, record.until_on


def _alone(one: RecordRow) -> Fact:
    """Give the row of a record that shares it with no other."""
    kind, day, quantity, provider = one.kind, one.occurred_on, one.quantity, one.provider
    if kind in MONTHLY:
        day, quantity = first(day), 1
    elif kind == HOURS:
        quantity, provider = min(HOURS_A_DAY, quantity), ""
    return Fact(
        kind, provider, day, quantity, one.level, one.severity, one.from_on, one.until_on, one.status, (one.id,)
    )


def _merge(group: list[RecordRow]) -> Fact:
    """Give the row of several records; the same record twice is one."""
    rows = sorted(group, key=lambda record: (record.id, record.quantity, record.level or 0))
    records = tuple(dict.fromkeys(record.id for record in rows))
    row = _alone(rows[0])
    if row.kind == HOURS:
        hours = sum({record.id: record.quantity for record in rows}.values())
        row = msgspec.structs.replace(row, quantity=min(HOURS_A_DAY, hours))
    return msgspec.structs.replace(row, records=records)


def _order(fact: Fact) -> tuple[str, date, date, str, str, tuple[str, ...]]:
    return fact.kind, fact.occurred_on, fact.from_on or date.min, fact.provider, fact.status, fact.records

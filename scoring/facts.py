"""From live records to the rows that points are counted on.

Pure. The rows are those of the batch path's file, so that both evaluators read the same thing: one row per month, kind
and provider for what is counted by month, one per day for volunteering, one per record for honours, one per interval
for deductions. The result depends only on the set of records: order, repetition and the batches they came in change
nothing. Records of different status never share a row, so a hidden or disputed one can't ride on an active one.
"""

from collections.abc import Iterable
from datetime import date

import msgspec

from core import months

MONTHLY = frozenset({"P01", "P02", "P03", "P04", "P06", "P07", "P12", "P17", "P21", "P22"})
HOURS = "P08"
HOURS_A_DAY = 8


class RecordRow(msgspec.Struct, frozen=True):
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


class Fact(msgspec.Struct, frozen=True):
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
    groups: dict[tuple[object, ...], set[RecordRow]] = {}
    for record in records:
        groups.setdefault(_key(record), set()).add(record)
    return sorted((_merge(group) for group in groups.values()), key=_order)


def _key(record: RecordRow) -> tuple[object, ...]:
    """Say with which other records a record shares its row."""
    if record.kind in MONTHLY:
        return record.kind, record.status, months.first(record.occurred_on), record.provider
    if record.kind == HOURS:
        return record.kind, record.status, record.occurred_on
    return record.kind, record.status, record.id, record.from_on, record.until_on


def _merge(group: set[RecordRow]) -> Fact:
    rows = sorted(group, key=lambda record: (record.id, record.quantity, record.level or 0))
    one = rows[0]
    day, quantity, provider = one.occurred_on, one.quantity, one.provider
    if one.kind in MONTHLY:
        day, quantity = months.first(day), 1
    elif one.kind == HOURS:
        hours = sum({record.id: record.quantity for record in rows}.values())
        quantity, provider = min(HOURS_A_DAY, hours), ""
    records = tuple(dict.fromkeys(record.id for record in rows))
    return Fact(
        one.kind, provider, day, quantity, one.level, one.severity, one.from_on, one.until_on, one.status, records
    )


def _order(fact: Fact) -> tuple[str, date, date, str, str, tuple[str, ...]]:
    return fact.kind, fact.occurred_on, fact.from_on or date.min, fact.provider, fact.status, fact.records

"""Occupational records, held for one purpose: a report that their citizen asks for.

A class of its own beside the records of points: its own consent, tables, key and door. Nothing of it is ever an input
of points: no scorecard may name its kinds, and the scorer's role has no right to its tables. HF17 (三十), WZ16 四(三)9.
All that a record says is sealed under the citizen's *occupational* key, which goes with the consent. A penalty is shown
while its interval lasts, and never later than five years after the act (CIR article 16).
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, keys, sealed
from core.errors import NotFound
from core.keys import KeyGone, Keyring
from core.months import shift
from scoring.book.catalogue import Catalogue
from scoring.book.lines import Accepted
from scoring.reporttables import career, career_record, career_source, report

PURPOSE: Literal["occupational-report"] = "occupational-report"
_PLACE = ("scoring.career_record", "sealed")


class NotConsented(NotFound):
    """The citizen has no live consent for occupational reports."""

    code = "no_occupational_consent"
    title = "No consent for occupational reports"

    def __init__(self) -> None:
        """Say how it stands."""
        super().__init__("您没有同意过职业信用报告，所以我们没有您的职业信用记录。")


class Content(msgspec.Struct, frozen=True):
    """What is sealed of a record: its plain columns, and fields, document and notice as the source sent them."""

    kind: str
    occurred_on: date
    quantity: int
    level: int | None
    from_on: date | None
    until_on: date | None
    fields: dict[str, Any]
    document: dict[str, Any] | None = None
    notice: dict[str, Any] | None = None


class Held(msgspec.Struct, frozen=True):
    """One record as its citizen sees it; `shown`: it stands on a report made now; from `until` on, on none."""

    id: uuid.UUID
    source: str
    ref: str
    version: int
    received_at: datetime
    name: str
    label: str
    positive: bool
    shown: bool
    until: date | None
    content: Content


async def open(  # noqa: A001  the door's word; always called as `career.open`
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, digests: Mapping[str, bytes]
) -> None:
    """Let these sources send, each under the digest agreed with it, and no others; the consent has just been given."""
    await keys.make(session, ring, owner=citizen_id, purpose="occupational")
    now = {"since": clock.civil()}
    joined = upsert(career).values(citizen_id=citizen_id, **now)
    await session.execute(joined.on_conflict_do_update(index_elements=["citizen_id"], set_=now))
    await session.execute(delete(career_source).where(career_source.c.citizen_id == citizen_id))
    if rows := [{"source": name, "digest": each, "citizen_id": citizen_id} for name, each in digests.items()]:
        await session.execute(insert(career_source), rows)


async def erase(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """Erase the class whole, reports and key with it; the consent is over. Harmless when there is nothing."""
    gone = delete(career).where(career.c.citizen_id == citizen_id).returning(career.c.citizen_id)
    if (await session.execute(gone)).first() is not None:
        await keys.destroy(session, owner=citizen_id, purpose="occupational")


async def counts(session: AsyncSession, *, citizen_id: uuid.UUID) -> dict[str, int]:
    """How many rows the class has about a citizen, by table; of reports, those about points as well."""
    found = {table.fullname: table.c.citizen_id == citizen_id for table in (career, career_source, career_record)}
    told = {name: await session.scalar(select(func.count()).where(mine)) or 0 for name, mine in found.items()}
    mine = report.c.citizen_id == citizen_id
    return told | {report.fullname: await session.scalar(select(func.count()).where(mine)) or 0}


async def of(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, catalogue: Catalogue, today: date
) -> list[Held]:
    """A citizen's records, the latest day first; `catalogue` is that of the class. Raises NotConsented."""
    try:
        key = await keys.fetch(session, ring, owner=citizen_id, purpose="occupational")
    except KeyGone as gone:
        raise NotConsented from gone
    mine = (career_record.c.citizen_id == citizen_id) & (career_record.c.sealed != b"")
    rows = await session.execute(select(career_record).where(mine))
    found = [_held(catalogue, today, row, unsealed(key, row.id, row.sealed)) for row in rows]
    return sorted(found, key=lambda one: (one.content.occurred_on, one.id), reverse=True)


async def holds(session: AsyncSession, *, citizen_id: uuid.UUID, record_id: uuid.UUID) -> bool:
    """Whether the citizen has such a record."""
    mine = (career_record.c.id == record_id) & (career_record.c.citizen_id == citizen_id)
    return await session.scalar(select(career_record.c.id).where(mine, career_record.c.sealed != b"")) is not None


def _held(catalogue: Catalogue, today: date, row: Any, content: Content) -> Held:
    kind = catalogue.kinds.get(content.kind)
    label = content.kind
    if kind is not None:
        label = catalogue.label(kind.code, content.occurred_on, content.quantity, content.level)
    until = keep_until(catalogue, content)
    begun = content.from_on is None or content.from_on <= today
    return Held(
        id=row.id,
        source=row.source,
        ref=row.ref,
        version=row.version,
        received_at=row.received_at,
        name=content.kind if kind is None else kind.name,
        label=label,
        positive=kind is None or kind.positive,
        shown=begun and (until is None or today < until),
        until=until,
        content=content,
    )


def content_of(line: Accepted) -> Content:
    """What is kept of a checked line."""
    columns = {
        name: getattr(line, name) for name in ("kind", "occurred_on", "quantity", "level", "from_on", "until_on")
    }
    return msgspec.convert({**columns, **line.sealed}, Content)


def keep_until(catalogue: Catalogue, content: Content) -> date | None:
    """From which day a record stands on no report any more, and is deleted; None for never."""
    kind = catalogue.kinds.get(content.kind)
    if kind is None or not kind.positive:
        return content.until_on
    return shift(content.occurred_on, kind.window_months) if kind.window_months else None


def seal(key: bytes, record_id: uuid.UUID, content: Content) -> bytes:
    """Seal a record's content under its citizen's key."""
    return sealed.seal(key, msgspec.msgpack.encode(content), place=(*_PLACE, record_id.bytes))


def unsealed(key: bytes, record_id: uuid.UUID, value: bytes) -> Content:
    """Open a record's content, for its own citizen."""
    return msgspec.msgpack.decode(sealed.unseal(key, value, place=(*_PLACE, record_id.bytes)), type=Content)


def shown(records: Iterable[Held]) -> list[Held]:
    """Those that stand on a report made now."""
    return [one for one in records if one.shown]

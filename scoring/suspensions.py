"""When a deduction does not count although it stands: while it is disputed, or a court or authority looks at it.

Kept: spans [from_on, until_on) beside the record, open while `until_on` is null; a record with an open one is
`disputed`. Points are counted on the record's interval without these spans (`scoring.rows`), so what it counted before
stays true of past days, and what it did not count does not come back for them. Rescoring is the caller's.
"""

import uuid
from collections.abc import Iterable
from datetime import date

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, db
from scoring.tables import dispute, pending, record, suspension


async def settle(session: AsyncSession, *, record_id: uuid.UUID, on: date) -> bool:
    """Open or close a record's suspension as its disputes and pending reviews say; returns whether that changed.

    A record that was revoked or repaired has no open suspension and keeps its status.
    """
    row = (await session.execute(select(record.c.status, record.c.version).where(record.c.id == record_id))).one()
    reasons = (
        select(dispute.c.id).where(dispute.c.record_id == record_id, dispute.c.closed_at.is_(None), dispute.c.suspends),
        select(pending.c.record_id).where(pending.c.record_id == record_id),
    )
    wanted = row.status in {"active", "disputed"} and any([await session.scalar(one) for one in reasons])
    if wanted and row.status == "active":
        await _begin(session, record_id, row.version, on)
    elif not wanted:
        await _end(session, record_id, on)
    if row.status in {"active", "disputed"}:
        status = "disputed" if wanted else "active"
        changed = update(record).where(record.c.id == record_id, record.c.status != status)
        await session.execute(changed.values(status=status, status_at=clock.civil()))
        return status != row.status
    return False


async def carry(session: AsyncSession, *, record_subjects: Iterable[uuid.UUID], on: date) -> None:
    """After a merge: what was suspended stays so in its new version, and a positive is suspended no more."""
    connection = await db.raw(session)
    for statement in (_CARRY, _CARRY_DISPUTE, _DROP):
        await connection.execute(statement, list(record_subjects), *([on] if statement is _DROP else []))


async def spans(session: AsyncSession, records: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[tuple[date, date | None]]]:
    """Per record, the days [from, until) on which it did not count, earliest first; until is None while it does not."""
    query = select(suspension).where(suspension.c.record_id.in_(list(records))).order_by(suspension.c.from_on)
    found: dict[uuid.UUID, list[tuple[date, date | None]]] = {}
    for row in await session.execute(query):
        found.setdefault(row.record_id, []).append((row.from_on, row.until_on))
    return found


async def _begin(session: AsyncSession, record_id: uuid.UUID, version: int, on: date) -> None:
    opened = insert(suspension).values(record_id=record_id, version=version, from_on=on)
    again = {"until_on": None, "version": version}
    await session.execute(opened.on_conflict_do_update(index_elements=["record_id", "from_on"], set_=again))


async def _end(session: AsyncSession, record_id: uuid.UUID, on: date) -> None:
    mine = (suspension.c.record_id == record_id) & suspension.c.until_on.is_(None)
    await session.execute(update(suspension).where(mine).values(until_on=on))


_CARRY = """
update scoring.suspension s set version = r.version from scoring.record r
where r.id = s.record_id and s.until_on is null and s.version < r.version and r.record_subject = any($1::uuid[])
"""

_CARRY_DISPUTE = """
update scoring.dispute d set version = r.version from scoring.record r
where r.id = d.record_id and d.closed_at is null and d.version < r.version and r.record_subject = any($1::uuid[])
"""

_DROP = """
update scoring.suspension s set until_on = $2 from scoring.record r
where r.id = s.record_id and s.until_on is null and r.status <> 'disputed' and r.record_subject = any($1::uuid[])
"""

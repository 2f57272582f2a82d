"""A lawsuit or reconsideration about the basis of a deduction that is pending (SZX article 43): marked, and suspended.

A source or a clerk marks it with evidence, which is sealed under the records key. While the mark stands the deduction
does not count, as in a dispute; when it is taken off, the interval goes on from that day, and a basis that fell is
revoked by its source. Promises nothing to callers about whether a record is known: the effect is all there is.
"""

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, sealed
from core.audit import Actor
from core.keys import Keyring
from scoring import ending, holders, standing, suspensions
from scoring.holders import Holder
from scoring.rulebook import RuleBook
from scoring.tables import pending, record

Matter = Literal["lawsuit", "reconsideration"]
MATTERS: dict[Matter, str] = {"lawsuit": "行政诉讼审理中", "reconsideration": "行政复议审理中"}


class Mark(msgspec.Struct, frozen=True):
    """What is pending, since when, and what proves it (a number of a case, never a name)."""

    matter: Matter
    since: date
    evidence: str


async def by_source(
    session: AsyncSession, ring: Keyring, *, source: str, ref: str, mark: Mark | None, book: RuleBook
) -> None:
    """Mark what a source calls by this ref, or take the mark off (None); nothing happens for an unknown ref."""
    for holder in await ending.behind(session, ring, source, ref):
        mine = (record.c.record_subject == holder.record_subject) & (record.c.source == source) & (record.c.ref == ref)
        for row in (await session.execute(select(record.c.id, record.c.kind).where(mine))).all():
            if await _mark(session, holder, row, mark, told_by=source, book=book):
                await audit.write(
                    session, actor=Actor("source", source), action="record.pending" if mark else "record.decided",
                    purpose="score", outcome="done", owner=holder.citizen_id,
                )  # fmt: skip


async def on_record(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, record_id: uuid.UUID, mark: Mark | None,
    told_by: str, book: RuleBook,
) -> None:  # fmt: skip
    """The same for one record of a citizen, on a clerk's word; the entry is written by who let the clerk in."""
    holder = await holders.one(session, ring, citizen_id=citizen_id, locked=True)
    row = (await session.execute(select(record.c.id, record.c.kind).where(record.c.id == record_id))).one_or_none()
    if holder is not None and row is not None:
        await _mark(session, holder, row, mark, told_by=told_by, book=book)


async def beside(session: AsyncSession, records: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[Matter, date]]:
    """What is pending about each of these records, and since when."""
    rows = await session.execute(select(pending).where(pending.c.record_id.in_(list(records))))
    return {row.record_id: (row.matter, row.since) for row in rows}


async def _mark(
    session: AsyncSession, holder: Holder, row: Any, mark: Mark | None, *, told_by: str, book: RuleBook
) -> bool:
    """Put the mark on or off, and let suspension and points follow; returns whether anything was done."""
    if book.catalogue.kinds[row.kind].positive:
        return False
    if mark is None:
        gone = await session.execute(
            delete(pending).where(pending.c.record_id == row.id).returning(pending.c.record_id)
        )
        if gone.first() is None:
            return False
    else:
        place = ("scoring.pending", "sealed", row.id.bytes)
        body = sealed.seal(holder.key, mark.evidence.encode(), place=place)
        values = {"record_id": row.id, "matter": mark.matter, "since": mark.since, "told_by": told_by, "sealed": body}
        put = insert(pending).values(**values).on_conflict_do_nothing().returning(pending.c.record_id)
        if (await session.execute(put)).first() is None:
            return False
    today = clock.today()
    if await suspensions.settle(session, record_id=row.id, on=today):
        cause = "record.pending" if mark else "record.decided"
        await standing.rescore(session, [holder], as_of=today, cause=cause, book=book)
    return True

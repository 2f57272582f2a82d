"""Rehearsals as rows: asked for by staff, done by the jobs, kept for ever with the report that came out.

One is of exactly these bytes against exactly that rule book on that day; asking again within its time gives the same
one, numbers and all. How many are asked for is bounded, so that nobody feels their way by many small changes.
"""

import hashlib
import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids
from core.errors import NotFound, TooMany
from core.releases import Release
from scoring.rehearsal.tables import rehearsal

MOST = 20
_WITHIN = timedelta(days=30)
_SILENT = timedelta(minutes=5)


class Rehearsal(msgspec.Struct, frozen=True):
    """One rehearsal; `report` is JSON, there once `state` is done. States: queued, running, done, failed."""

    id: uuid.UUID
    release_id: uuid.UUID
    digest: str
    against: str
    effective_on: date
    asked_by: str
    asked_at: datetime
    state: str
    done: int
    total: int
    beat_at: datetime | None
    made_at: datetime | None
    figures_of: uuid.UUID | None
    report: bytes | None
    report_digest: str | None
    statement: str | None


def rule_book(others: Iterable[Release]) -> str:
    """The digest of everything that rules beside a draft: kinds, names and digests."""
    lines = sorted(f"{one.kind}/{one.name} {one.digest}" for one in others)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


async def ask(session: AsyncSession, *, release: Release, against: str, by: str, days: int) -> Rehearsal:
    """Queue a rehearsal, or give the one of the same that is under way or not `days` old. Raises TooMany."""
    since = clock.wall() - timedelta(days=days)
    same = select(rehearsal).where(
        rehearsal.c.digest == release.digest, rehearsal.c.against == against,
        rehearsal.c.effective_on == release.effective_on, rehearsal.c.state != "failed",
        rehearsal.c.release_id == release.id, rehearsal.c.asked_at > since,
    )  # fmt: skip
    row = (await session.execute(same.order_by(rehearsal.c.id.desc()).limit(1))).mappings().one_or_none()
    if row is not None:
        return Rehearsal(**row)
    recent = select(func.count()).select_from(rehearsal).where(rehearsal.c.asked_at > clock.wall() - _WITHIN)
    if (await session.scalar(recent) or 0) >= MOST:
        detail = f"There were {MOST} rehearsals within 30 days. Think the draft over; the oldest makes room."
        raise TooMany(detail, retry_after=24 * 3600)
    values: dict[str, Any] = {
        "id": ids.new(), "release_id": release.id, "digest": release.digest, "against": against,
        "effective_on": release.effective_on, "asked_by": by, "asked_at": clock.wall(), "state": "queued",
        "done": 0, "total": 0,
    }  # fmt: skip
    made = await session.execute(insert(rehearsal).values(**values).returning(rehearsal))
    return Rehearsal(**made.mappings().one())


async def get(session: AsyncSession, *, rehearsal_id: uuid.UUID) -> Rehearsal:
    """One rehearsal. Raises NotFound."""
    row = (await session.execute(select(rehearsal).where(rehearsal.c.id == rehearsal_id))).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Rehearsal(**row)


async def of_release(session: AsyncSession, *, release_id: uuid.UUID) -> list[Rehearsal]:
    """A release's rehearsals, newest first."""
    query = select(rehearsal).where(rehearsal.c.release_id == release_id).order_by(rehearsal.c.id.desc())
    return [Rehearsal(**row) for row in (await session.execute(query)).mappings()]


async def take(session: AsyncSession) -> Rehearsal | None:
    """Begin the oldest that waits, or that nobody worked on for five minutes; None where there is none. Jobs' door."""
    silent = rehearsal.c.beat_at < clock.wall() - _SILENT
    waits = select(rehearsal.c.id).where(or_(rehearsal.c.state == "queued", (rehearsal.c.state == "running") & silent))
    first = waits.order_by(rehearsal.c.asked_at).limit(1).with_for_update(skip_locked=True)
    found = await session.scalar(first)
    if found is None:
        return None
    begun = update(rehearsal).where(rehearsal.c.id == found).values(state="running", done=0, beat_at=clock.wall())
    return Rehearsal(**(await session.execute(begun.returning(rehearsal))).mappings().one())


async def tell(session: AsyncSession, *, rehearsal_id: uuid.UUID, done: int, total: int) -> None:
    """How far a run is; who asked sees it."""
    values = {"done": done, "total": total, "beat_at": clock.wall()}
    await session.execute(update(rehearsal).where(rehearsal.c.id == rehearsal_id).values(**values))


async def finish(
    session: AsyncSession, *, rehearsal_id: uuid.UUID, report: bytes, statement: str, figures_of: uuid.UUID | None
) -> None:
    """Keep what came out."""
    values = {
        "state": "done", "made_at": clock.wall(), "report": report, "statement": statement, "figures_of": figures_of,
        "report_digest": hashlib.sha256(report).hexdigest(),
    }  # fmt: skip
    await session.execute(update(rehearsal).where(rehearsal.c.id == rehearsal_id).values(**values))


async def fail(session: AsyncSession, *, rehearsal_id: uuid.UUID) -> None:
    """Nothing came out; it may be asked for again."""
    await session.execute(update(rehearsal).where(rehearsal.c.id == rehearsal_id).values(state="failed"))


async def others(session: AsyncSession, *, but: Rehearsal, days: int) -> list[Rehearsal]:
    """The rehearsals of other bytes or days that are not `days` old and have numbers of their own, newest first."""
    query = select(rehearsal).where(
        rehearsal.c.state == "done", rehearsal.c.figures_of.is_(None),
        rehearsal.c.made_at > clock.wall() - timedelta(days=days), rehearsal.c.id != but.id,
    )  # fmt: skip
    return [Rehearsal(**row) for row in (await session.execute(query.order_by(rehearsal.c.id.desc()))).mappings()]

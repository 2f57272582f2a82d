"""Disputes as rows: what was objected, sealed; where it stands; the course so far.

Words and answer are sealed under the citizen's *cases* key, bound to the dispute. A citizen opens their own; clerks and
sources get the key of one from gate functions that prove their live token and tell the citizen (migration 0017).
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, sealed
from core.errors import NotFound
from core.keys import KeyGone, Keyring
from core.lifecycle import By
from scoring.rights.disputing import DISPUTE
from scoring.tables import dispute, dispute_event, record

_WORDS, _ANSWER = "sealed_words", "sealed_answer"


class Said(msgspec.Struct, frozen=True):
    """What a citizen objects: their words, and what they bring as evidence ("" for none)."""

    words: str
    evidence: str


class Step(msgspec.Struct, frozen=True):
    """One step of the course: the event, whose act it was, the state after it, and by when the next one is due."""

    at: datetime
    event: str
    by: str
    state: str
    due_on: date | None


class Dispute(msgspec.Struct, frozen=True):
    """A dispute as its citizen sees it. `suspends`: the record does not count while this is open."""

    id: uuid.UUID
    record_id: uuid.UUID | None
    version: int
    source: str
    kind: str
    reason: str
    said: Said
    state: str
    suspends: bool
    opened_at: datetime
    due_on: date
    provisional: bool
    closed_at: datetime | None
    answer: str | None
    steps: tuple[Step, ...]


class Waiting(msgspec.Struct, frozen=True):
    """A dispute in a clerk's queue: nothing of what its citizen said, and not who they are."""

    id: uuid.UUID
    kind: str
    source: str
    reason: str
    state: str
    suspends: bool
    opened_at: datetime
    due_on: date


class Told(msgspec.Struct, frozen=True):
    """A dispute as the source of the record sees it: which record, what is objected, and not who objects."""

    id: uuid.UUID
    ref: str
    version: int
    reason: str
    said: Said
    state: str
    due_on: date


class Look(msgspec.Struct, frozen=True):
    """Who looks: SHA-256 of the jti of a live token of scope `staff:disputes`, the clerk's number, and why."""

    token: bytes
    clerk: str
    purpose: str


def seal_words(key: bytes, dispute_id: uuid.UUID, said: Said) -> bytes:
    """What a citizen objects, sealed under their *cases* key."""
    return sealed.seal(key, msgspec.json.encode(said), place=_place(_WORDS, dispute_id))


def seal_answer(key: bytes, dispute_id: uuid.UUID, reasons: str) -> bytes:
    """The reasons of an answer, sealed under the citizen's *cases* key."""
    return sealed.seal(key, reasons.encode(), place=_place(_ANSWER, dispute_id))


def words(key: bytes, row: Any) -> Said:
    """What a citizen objects, opened."""
    return msgspec.json.decode(sealed.unseal(key, row.sealed_words, place=_place(_WORDS, row.id)), type=Said)


async def opened(session: AsyncSession, key: bytes, rows: Sequence[Any]) -> list[Dispute]:
    """These rows of one citizen, opened, with their courses."""
    courses = await _steps(session, [row.id for row in rows])
    return [
        Dispute(
            row.id, row.record_id, row.version, row.source, row.kind, row.reason, words(key, row), row.state,
            row.suspends, row.opened_at, row.due_on, row.provisional, row.closed_at, _answer(key, row),
            tuple(courses.get(row.id, ())),
        )
        for row in rows
    ]  # fmt: skip


async def waiting(session: AsyncSession, *, limit: int, after: tuple[date, uuid.UUID] | None = None) -> list[Waiting]:
    """What waits for an office, the most urgent first; leaves no entry."""
    named = [dispute.c[name] for name in Waiting.__struct_fields__]
    query = select(*named).where(dispute.c.closed_at.is_(None)).order_by(dispute.c.due_on, dispute.c.id).limit(limit)
    if after is not None:
        query = query.where(
            (dispute.c.due_on > after[0]) | ((dispute.c.due_on == after[0]) & (dispute.c.id > after[1]))
        )
    return [Waiting(*row) for row in await session.execute(query)]


async def told(
    session: AsyncSession, ring: Keyring, *, token: bytes, only: uuid.UUID | None = None
) -> list[tuple[Told, bytes]]:
    """What waits for the source that holds this token, each with its key; the first look is told to the citizen."""
    query = text("select id, epoch, wrapped, citizen_id from scoring.told_disputes(:token, :only)")
    keys = {row.id: _unwrap(ring, row) for row in await session.execute(query, {"token": token, "only": only})}
    rows = await session.execute(
        select(dispute).where(dispute.c.id.in_(list(keys))).order_by(dispute.c.due_on, dispute.c.id)
    )
    return [
        (Told(row.id, row.ref, row.version, row.reason, words(keys[row.id], row), row.state, row.due_on), keys[row.id])
        for row in rows
    ]


async def key_for(
    session: AsyncSession, ring: Keyring, *, look: Look, dispute_id: uuid.UUID, act: str, detail: Mapping[str, Any]
) -> tuple[uuid.UUID, bytes]:
    """The citizen behind a dispute and its key, for a clerk who does `act`; the citizen reads that. NotFound."""
    query = text("select * from scoring.open_dispute(:token, :id, :act, :purpose, cast(:detail as jsonb))")
    given = {"token": look.token, "id": dispute_id, "act": act, "purpose": look.purpose}
    told = msgspec.json.encode({**detail, "clerk": look.clerk}).decode()
    row = (await session.execute(query, {**given, "detail": told})).one_or_none()
    if row is None:
        raise NotFound
    return row.citizen_id, _unwrap(ring, row)


async def locked(session: AsyncSession, *, dispute_id: uuid.UUID) -> Any:
    """One dispute, locked until the transaction ends. The caller holds its citizen's link. NotFound."""
    row = (await session.execute(select(dispute).where(dispute.c.id == dispute_id).with_for_update())).one_or_none()
    if row is None:
        raise NotFound
    return row


async def step(
    session: AsyncSession, *, dispute_id: uuid.UUID, event: str, by: By, state: str, due_on: date | None
) -> None:
    """Append a step to the course."""
    last = select(func.coalesce(func.max(dispute_event.c.seq), 0)).where(dispute_event.c.dispute_id == dispute_id)
    row = {"dispute_id": dispute_id, "seq": (await session.scalar(last) or 0) + 1, "at": clock.civil()}
    due = None if state in DISPUTE.final else due_on
    await session.execute(insert(dispute_event).values(**row, event=event, by=by, state=state, due_on=due))


async def record_of(session: AsyncSession, record_id: uuid.UUID | None) -> Any:
    """The plain row of a disputed record; None when it is gone."""
    if record_id is None:
        return None
    columns = (record.c.id, record.c.status, record.c.version, record.c.kind, record.c.source, record.c.ref)
    return (await session.execute(select(*columns).where(record.c.id == record_id))).one_or_none()


async def _steps(session: AsyncSession, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Step]]:
    query = select(dispute_event).where(dispute_event.c.dispute_id.in_(ids))
    found: dict[uuid.UUID, list[Step]] = {}
    for row in await session.execute(query.order_by(dispute_event.c.dispute_id, dispute_event.c.seq)):
        found.setdefault(row.dispute_id, []).append(Step(row.at, row.event, row.by, row.state, row.due_on))
    return found


def _answer(key: bytes, row: Any) -> str | None:
    if row.sealed_answer is None:
        return None
    return sealed.unseal(key, row.sealed_answer, place=_place(_ANSWER, row.id)).decode()


def _unwrap(ring: Keyring, row: Any) -> bytes:
    try:
        return ring.unwrap(row.wrapped, epoch=row.epoch, owner=row.citizen_id, purpose="cases")
    except KeyGone as gone:
        raise NotFound from gone


def _place(column: str, dispute_id: uuid.UUID) -> tuple[str, str, bytes]:
    return "scoring.dispute", column, dispute_id.bytes

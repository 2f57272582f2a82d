"""What a citizen asks a person of the office to look at: the review of an outcome, the correction of a datum.

PIPL article 24 gives everybody the right to have an outcome looked at by a person, article 46 the right to have wrong
data corrected. Words and answer are sealed under the citizen's *cases* key, which opens nothing else, so that a clerk
who reads a matter reads that alone. Staff come through gate functions that prove their token and write the entry which
the citizen reads (migration 0013). An outcome can only help: `kept` or `improved`. Nothing here moves a point.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import exists, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tables import matter
from core import clock, ids, keys, sealed
from core.errors import Conflict, NotFound
from core.keys import KeyGone, Keyring
from core.tables import audit_entry

Kind = Literal["review", "correction"]
Outcome = Literal["kept", "improved"]
DAYS: Mapping[Kind, int] = {"review": 15, "correction": 1}
PREFIX: Mapping[Kind, str] = {"review": "rv", "correction": "cr"}
MOST_OPEN = 20


class TooManyOpen(Conflict):
    """The citizen has many matters that wait for an answer."""

    code = "too_many_open"
    title = "Too many matters wait for an answer"


class AlreadyTurned(Conflict):
    """The matter was sent or answered before."""

    code = "already_answered"
    title = "This matter was dealt with already"


class Matter(msgspec.Struct, frozen=True):
    """One matter. `state`: opened, sent (a correction, to whom it concerns) or answered; `outcome` once answered."""

    id: uuid.UUID
    kind: str
    about: str
    state: str
    words: str
    opened_at: datetime
    answer_by: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    outcome: str | None
    answer: str | None


class Waiting(msgspec.Struct, frozen=True):
    """A matter as the queue shows it: nothing of what its citizen said, and not who they are."""

    id: uuid.UUID
    kind: str
    about: str
    state: str
    opened_at: datetime
    answer_by: datetime


class Look(msgspec.Struct, frozen=True):
    """Who looks: SHA-256 of the jti of a live token of scope `staff:reviews`, the clerk's number, and why."""

    token: bytes
    clerk: str
    purpose: str


async def open(  # noqa: A001  the field's word; always called as `matters.open`
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, kind: Kind, about: str, words: str
) -> Matter:
    """Put a matter into the queue. The caller has found that `about` is the citizen's. Raises TooManyOpen."""
    waiting = select(func.count()).where(matter.c.citizen_id == citizen_id, matter.c.state != "answered")
    if (await session.scalar(waiting) or 0) >= MOST_OPEN:
        detail = f"您有{MOST_OPEN}件事项正在等待答复；有答复之后可以再提。"
        raise TooManyOpen(detail)
    key = await keys.make(session, ring, owner=citizen_id, purpose="cases")
    matter_id, now = ids.new(), clock.civil()
    await session.execute(
        insert(matter).values(
            id=matter_id,
            citizen_id=citizen_id,
            kind=kind,
            about=about,
            state="opened",
            opened_at=now,
            answer_by=now + timedelta(days=DAYS[kind]),
            sealed_words=sealed.seal(key, words.encode(), place=_words(matter_id)),
        )
    )
    return await get(session, ring, citizen_id=citizen_id, kind=kind, matter_id=matter_id)


async def of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, kind: Kind | None = None) -> list[Matter]:
    """A citizen's matters, newest first."""
    query = select(matter).where(matter.c.citizen_id == citizen_id).order_by(matter.c.id.desc())
    rows = (await session.execute(query if kind is None else query.where(matter.c.kind == kind))).mappings().all()
    if not rows:
        return []
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="cases")
    return [_opened(key, row) for row in rows]


async def get(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, kind: Kind, matter_id: uuid.UUID
) -> Matter:
    """One of the citizen's own matters; NotFound for anybody else's."""
    query = select(matter).where(matter.c.id == matter_id, matter.c.citizen_id == citizen_id, matter.c.kind == kind)
    row = (await session.execute(query)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return _opened(await keys.fetch(session, ring, owner=citizen_id, purpose="cases"), row)


async def was_decided(session: AsyncSession, *, citizen_id: uuid.UUID, decision: str) -> bool:
    """Whether a partner's decision with this id (dc_…) was about the citizen, as their entries say for ten years."""
    told = (audit_entry.c.owner == citizen_id) & (audit_entry.c.detail["decision"].astext == decision)
    return bool(await session.scalar(select(exists().where(told))))


async def waiting(
    session: AsyncSession, *, token: bytes, kind: Kind, limit: int, after: uuid.UUID | None = None
) -> list[Waiting]:
    """What waits for an answer, the oldest first; nothing for a token without the scope. Leaves no entry."""
    query = text("select * from auth.waiting_matters(:token, :kind, :after, :limit)")
    rows = await session.execute(query, {"token": token, "kind": kind, "after": after, "limit": limit})
    return [Waiting(*row) for row in rows]


async def read(session: AsyncSession, ring: Keyring, *, look: Look, kind: Kind, matter_id: uuid.UUID) -> Matter:
    """One matter with its words; its citizen reads who looked and why. Raises NotFound."""
    row = await _row(session, look, kind, matter_id)
    return _opened(_key(ring, row), row)


async def send(session: AsyncSession, *, look: Look, matter_id: uuid.UUID) -> None:
    """Note that a correction went to whom it concerns. Raises AlreadyTurned (also for an unknown one)."""
    await _turn(session, look, "correction", matter_id, state="sent")


async def answer(
    session: AsyncSession,
    ring: Keyring,
    *,
    look: Look,
    kind: Kind,
    matter_id: uuid.UUID,
    outcome: Outcome,
    reasons: str,
) -> None:
    """Answer with reasons that the citizen reads. Raises NotFound, AlreadyTurned."""
    key = _key(ring, await _row(session, look, kind, matter_id))
    body = sealed.seal(key, reasons.encode(), place=_answer(matter_id))
    await _turn(session, look, kind, matter_id, state="answered", outcome=outcome, body=body)


async def _row(session: AsyncSession, look: Look, kind: Kind, matter_id: uuid.UUID) -> Mapping[Any, Any]:
    query = text("select * from auth.read_matter(:token, :id, :purpose, cast(:detail as jsonb))")
    given = {"token": look.token, "id": matter_id, "purpose": look.purpose, "detail": _detail(look, kind, matter_id)}
    row = (await session.execute(query, given)).mappings().one_or_none()
    if row is None or row["kind"] != kind:
        raise NotFound
    return row


async def _turn(
    session: AsyncSession,
    look: Look,
    kind: Kind,
    matter_id: uuid.UUID,
    *,
    state: str,
    outcome: str | None = None,
    body: bytes | None = None,
) -> None:
    query = text(
        "select id from auth.turn_matter(:token, :id, :purpose, cast(:detail as jsonb), :state, :outcome, :body)"
    )
    given = {"token": look.token, "id": matter_id, "purpose": look.purpose, "detail": _detail(look, kind, matter_id)}
    done = await session.scalar(query, {**given, "state": state, "outcome": outcome, "body": body})
    if done is None:
        raise AlreadyTurned("Read it again: somebody answered it, or sent it on, before.")


def _detail(look: Look, kind: Kind, matter_id: uuid.UUID) -> str:
    return msgspec.json.encode({"matter": ids.show(PREFIX[kind], matter_id), "clerk": look.clerk}).decode()


def _key(ring: Keyring, row: Mapping[Any, Any]) -> bytes:
    try:
        return ring.unwrap(row["wrapped"], epoch=row["epoch"], owner=row["citizen_id"], purpose="cases")
    except KeyGone as gone:
        raise NotFound from gone


def _opened(key: bytes, row: Mapping[Any, Any]) -> Matter:
    """The words and the answer of a row, opened."""
    told = row["sealed_answer"]
    words = sealed.unseal(key, row["sealed_words"], place=_words(row["id"])).decode()
    reply = None if told is None else sealed.unseal(key, told, place=_answer(row["id"])).decode()
    plain = {name: row[name] for name in Matter.__struct_fields__ if name not in {"words", "answer"}}
    return Matter(words=words, answer=reply, **plain)


def _words(matter_id: uuid.UUID) -> tuple[str, str, bytes]:
    return "auth.matter", "sealed_words", matter_id.bytes


def _answer(matter_id: uuid.UUID) -> tuple[str, str, bytes]:
    return "auth.matter", "sealed_answer", matter_id.bytes

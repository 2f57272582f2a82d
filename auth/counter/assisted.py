"""Assisted sessions: a clerk does at a counter, with the citizen present, what the citizen's app would do.

Promises: a session is one access token of scope `me`, bound to the office's DPoP key, with the citizen and the clerk
in its row; it lives 15 minutes, cannot be prolonged, and ends at once everywhere when it is ended. Does not promise
that every request is shown to the citizen: `api.behalf` writes that, before anything is done.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth import tokens
from auth.assurance import REAL_NAME
from auth.counter.tables import assisted
from core import clock, ids
from core.errors import NotFound

LIFE = timedelta(minutes=15)
_SCOPE = frozenset({"me"})


class Assisted(msgspec.Struct, frozen=True):
    """A live session: who sits there (`clerk` of `client_id`), for whom, why, and how the citizen was proved.

    `proof` finds its token's row: the citizen's door goes by it.
    """

    id: uuid.UUID
    citizen_id: uuid.UUID
    client_id: str
    clerk: str
    purpose: str
    proved_by: str
    proved_again_at: datetime | None
    proof: bytes
    opened_at: datetime
    expires_at: datetime


class Ended(msgspec.Struct, frozen=True):
    """A session that is over; `live` when it was not over before."""

    citizen_id: uuid.UUID
    clerk: str
    purpose: str
    jti_hash: bytes
    live: bool


class Opened(msgspec.Struct, frozen=True):
    """A session just opened, with its one token."""

    id: uuid.UUID
    access_token: str
    expires_at: datetime


async def open(  # noqa: A001  (always called as `assisted.open`; what a session says)
    session: AsyncSession,
    issuer: tokens.Issuer,
    *,
    citizen_id: uuid.UUID,
    client_id: str,
    clerk: str,
    jkt: str,
    purpose: str,
    proved_by: str,
) -> Opened:
    """Open a session for a citizen who was just proved; `jkt` is the key that the office's own token is bound to."""
    now = clock.wall()
    signed = await tokens.issue(
        session,
        issuer,
        client_id=client_id,
        scopes=_SCOPE,
        jkt=jkt,
        citizen_id=citizen_id,
        acr=REAL_NAME,
        auth_time=now,
        actor=f"staff:{client_id}/{clerk}",
        life=int(LIFE.total_seconds()),
    )
    opened = Opened(ids.new(), signed, now + LIFE)
    row = {"id": opened.id, "jti_hash": issuer.read(signed).jti_hash, "citizen_id": citizen_id}
    row |= {"client_id": client_id, "clerk": clerk, "purpose": purpose, "proved_by": proved_by}
    await session.execute(insert(assisted).values(**row, opened_at=now, expires_at=opened.expires_at))
    return opened


async def by_token(session: AsyncSession, jti_hash: bytes) -> Assisted | None:
    """The live session of a token; None when it was ended or is over."""
    row = (await session.execute(_live().where(assisted.c.jti_hash == jti_hash))).one_or_none()
    return None if row is None else _read(row)


async def by_id(session: AsyncSession, *, assisted_id: uuid.UUID, client_id: str) -> Assisted:
    """A live session of this office. Raises NotFound."""
    mine = _live().where(assisted.c.id == assisted_id, assisted.c.client_id == client_id)
    row = (await session.execute(mine)).one_or_none()
    if row is None:
        raise NotFound
    return _read(row)


async def of(session: AsyncSession, *, client_id: str, clerk: str) -> list[Assisted]:
    """A clerk's live sessions, the oldest first."""
    mine = _live().where(assisted.c.client_id == client_id, assisted.c.clerk == clerk)
    return [_read(row) for row in await session.execute(mine.order_by(assisted.c.opened_at, assisted.c.id))]


async def prove_again(session: AsyncSession, *, assisted_id: uuid.UUID) -> None:
    """Note that the citizen proved themselves once more, now: what is grave may be done for a minute."""
    await session.execute(update(assisted).where(assisted.c.id == assisted_id).values(proved_again_at=clock.wall()))


async def end(session: AsyncSession, *, assisted_id: uuid.UUID, client_id: str) -> Ended:
    """End a session and its token now; ending it again changes nothing. Raises NotFound for another office's."""
    mine = (assisted.c.id == assisted_id) & (assisted.c.client_id == client_id)
    row = (await session.execute(select(assisted).where(mine).with_for_update())).one_or_none()
    if row is None:
        raise NotFound
    live = row.ended_at is None and row.expires_at > clock.wall()
    if live:
        await session.execute(update(assisted).where(mine).values(ended_at=clock.wall()))
        await tokens.revoke(session, client_id=client_id, jti_hash=row.jti_hash)
    return Ended(row.citizen_id, row.clerk, row.purpose, row.jti_hash, live)


async def end_all(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """End every live session about a citizen."""
    live = (assisted.c.citizen_id == citizen_id) & assisted.c.ended_at.is_(None)
    ended = (
        update(assisted).where(live).values(ended_at=clock.wall()).returning(assisted.c.client_id, assisted.c.jti_hash)
    )
    for row in (await session.execute(ended)).all():
        await tokens.revoke(session, client_id=row.client_id, jti_hash=row.jti_hash)


def _live() -> Any:
    return select(assisted).where(assisted.c.ended_at.is_(None), assisted.c.expires_at > clock.wall())


def _read(row: Row[Any]) -> Assisted:
    return Assisted(
        id=row.id,
        citizen_id=row.citizen_id,
        client_id=row.client_id,
        clerk=row.clerk,
        purpose=row.purpose,
        proved_by=row.proved_by,
        proved_again_at=row.proved_again_at,
        proof=row.jti_hash,
        opened_at=row.opened_at,
        expires_at=row.expires_at,
    )

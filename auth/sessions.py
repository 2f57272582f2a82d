"""Sessions of the citizens' page: a random cookie value here, its SHA-256 in the database.

Promises: a session dies 30 minutes after its last use, 8 hours after login, at logout, and when its citizen ends it
from another device, at once and everywhere. Each has a CSRF token of its own, and the level that its own login proved.
Its citizen sees when it began and was last used, and on what kind of device. Does not promise anything about who may
log in: see `auth.citizens`.
"""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.counter import deaths
from auth.tables import session as table
from core import clock, ids
from core.errors import NotFound

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
_STEP = timedelta(minutes=1)


class Session(msgspec.Struct, frozen=True):
    """A live session, as a request sees it.

    `hash` is SHA-256 of its cookie's value; `acr` is what its login proved (`auth.assurance`).
    """

    id: uuid.UUID
    hash: bytes
    citizen_id: uuid.UUID
    csrf: str
    auth_time: datetime
    acr: int


class Listed(msgspec.Struct, frozen=True):
    """A live session, as its citizen sees it. `used_at` is true to the minute."""

    id: uuid.UUID
    device: str
    began_at: datetime
    used_at: datetime


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()


async def begin(
    session: AsyncSession, *, citizen_id: uuid.UUID, acr: int, auth_time: datetime, device: str
) -> tuple[str, str]:
    """Open a session for a citizen who proved `acr` at `auth_time`; returns (cookie value, CSRF token).

    `device` is a few plain words, never what the browser said of itself. Raises Closed.
    """
    await deaths.must_live(session, citizen_id)
    value, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(24), clock.wall()
    row = {
        "hash": _hash(value),
        "id": ids.new(),
        "citizen_id": citizen_id,
        "csrf": csrf,
        "acr": acr,
        "device": device,
        "auth_time": auth_time,
        "began_at": now,
        "used_at": now,
        "expires_at": now + IDLE,
    }
    await session.execute(insert(table).values(**row))
    return value, csrf


async def find(session: AsyncSession, value: str) -> Session | None:
    """The live session of a cookie value, kept alive by being asked for; None when there is none any more."""
    now = clock.wall()
    live = (table.c.hash == _hash(value)) & table.c.ended_at.is_(None) & (table.c.expires_at > now)
    query = select(table).where(live, ~deaths.over(table.c.citizen_id))
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    until = min(now + IDLE, row.auth_time + LONGEST)
    if until - row.expires_at > _STEP:
        used = {"expires_at": until, "used_at": now}
        await session.execute(update(table).where(table.c.hash == row.hash).values(**used))
    return Session(row.id, row.hash, row.citizen_id, row.csrf, row.auth_time, row.acr)


async def end(session: AsyncSession, value: str) -> None:
    """End a session now; ending it again changes nothing."""
    await session.execute(
        update(table).where(table.c.hash == _hash(value), table.c.ended_at.is_(None)).values(ended_at=clock.wall())
    )


async def of(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Listed]:
    """A citizen's live sessions, the last used first."""
    columns = (table.c.id, table.c.device, table.c.began_at, table.c.used_at)
    query = select(*columns).where(_live(citizen_id)).order_by(table.c.used_at.desc(), table.c.id)
    return [Listed(*row) for row in await session.execute(query)]


async def end_one(session: AsyncSession, *, citizen_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """End one live session of a citizen. Raises NotFound for one that is not theirs, or is over."""
    one = update(table).where(_live(citizen_id), table.c.id == session_id).values(ended_at=clock.wall())
    if (await session.execute(one.returning(table.c.id))).one_or_none() is None:
        raise NotFound


async def end_all(session: AsyncSession, *, citizen_id: uuid.UUID, but: uuid.UUID | None = None) -> int:
    """End every live session of a citizen, except `but`; returns how many."""
    ended = update(table).where(_live(citizen_id), table.c.id.is_distinct_from(but)).values(ended_at=clock.wall())
    return len((await session.execute(ended.returning(table.c.id))).all())


def _live(citizen_id: uuid.UUID) -> ColumnElement[bool]:
    return and_(table.c.citizen_id == citizen_id, table.c.ended_at.is_(None), table.c.expires_at > clock.wall())

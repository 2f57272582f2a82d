"""Sessions of the citizens' page: a random cookie value here, its SHA-256 in the database.

Promises: a session dies 30 minutes after its last use, 8 hours after login, and at logout, at once and everywhere.
Each has a CSRF token of its own. Does not promise anything about who may log in: see `auth.citizens`.
"""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tables import citizen
from auth.tables import session as table
from core import clock

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
_STEP = timedelta(minutes=1)


class Session(msgspec.Struct, frozen=True):
    """A live session, as a request sees it; `hash` is SHA-256 of its cookie's value."""

    hash: bytes
    citizen_id: uuid.UUID
    csrf: str
    auth_time: datetime
    acr: int


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()


async def begin(session: AsyncSession, *, citizen_id: uuid.UUID, auth_time: datetime) -> tuple[str, str]:
    """Open a session for a citizen who proved who they are at `auth_time`; returns (cookie value, CSRF token)."""
    value, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(24), clock.wall()
    await session.execute(
        insert(table).values(
            hash=_hash(value), citizen_id=citizen_id, csrf=csrf, auth_time=auth_time, expires_at=now + IDLE
        )
    )
    return value, csrf


async def find(session: AsyncSession, value: str) -> Session | None:
    """The live session of a cookie value, kept alive by being asked for; None when there is none any more."""
    now = clock.wall()
    query = (
        select(table, citizen.c.acr)
        .join(citizen, citizen.c.id == table.c.citizen_id)
        .where(table.c.hash == _hash(value), table.c.ended_at.is_(None), table.c.expires_at > now)
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    until = min(now + IDLE, row.auth_time + LONGEST)
    if until - row.expires_at > _STEP:
        await session.execute(update(table).where(table.c.hash == row.hash).values(expires_at=until))
    return Session(row.hash, row.citizen_id, row.csrf, row.auth_time, row.acr)


async def end(session: AsyncSession, value: str) -> None:
    """End a session now; ending it again changes nothing."""
    await session.execute(
        update(table).where(table.c.hash == _hash(value), table.c.ended_at.is_(None)).values(ended_at=clock.wall())
    )

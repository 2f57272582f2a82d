"""Seats: browsers in which a person acts for a registered client, a partner at its console, a clerk at the desk.

Promises: a link opens one seat once, within its time; of its cookie only SHA-256 is stored. Behind a seat stands a live
token of the client, whose own secret nobody was ever told: every gate function proves it like any other caller, with
the scopes of the seat that the client still has. A seat ends by hand, half an hour after its last use, after its hours,
and with its client or clerk. Promises nothing about who may make one: see `auth.clerks` and the doors.
"""

import hashlib
import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth import tokens
from auth.clients import Client
from auth.seattables import clerk, seat
from auth.tables import token
from core import clock, ids
from core.errors import Conflict, NotFound

MOST = 20
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=8)
_STEP = timedelta(minutes=1)


class TooManySeats(Conflict):
    """The client has as many live consoles as one may have."""

    code = "too_many_consoles"
    title = "Too many consoles"


class Made(msgspec.Struct, frozen=True):
    """A seat that waits for its browser; `secret` opens it once, until `link_until` (wall clock)."""

    id: uuid.UUID
    secret: str
    link_until: datetime


class Opened(msgspec.Struct, frozen=True):
    """What a browser holds from now on: the cookie's value, until when at the latest."""

    session: str
    ends_at: datetime


class Seat(msgspec.Struct, frozen=True):
    """A live seat, as a request sees it: for whom it acts, by which token, since when it is proved who sits there."""

    id: uuid.UUID
    client: Client
    clerk: str | None
    scopes: frozenset[str]
    token: bytes
    proved_at: datetime
    ends_at: datetime


class Listed(msgspec.Struct, frozen=True):
    """A seat as its client sees it; `opened_at` None: nobody has used its link."""

    id: uuid.UUID
    name: str
    scopes: list[str]
    link_until: datetime | None
    opened_at: datetime | None
    used_at: datetime | None
    ends_at: datetime


async def offer(
    session: AsyncSession, *, client_id: str, name: str, scopes: Iterable[str], life: timedelta, link_life: timedelta
) -> Made:
    """Make a seat and the link that opens it, for a client's own people. Raises TooManySeats."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"auth.seat|{client_id}", 0))))
    if len(await of(session, client_id=client_id)) >= MOST:
        detail = f"At most {MOST} at once: end one first."
        raise TooManySeats(detail)
    secret, now = secrets.token_urlsafe(24), clock.wall()
    made = Made(ids.random(), secret, now + link_life)
    await session.execute(
        insert(seat).values(
            id=made.id, client_id=client_id, name=name, scopes=sorted(scopes), link=digest(secret),
            link_until=made.link_until, made_at=now, ends_at=now + life,
        )
    )  # fmt: skip
    return made


async def open_by(session: AsyncSession, *, secret: str) -> Opened | None:
    """Open a seat by its link's secret; None where the link is not good. One of racing browsers wins."""
    now, value, jti = clock.wall(), secrets.token_urlsafe(32), secrets.token_bytes(32)
    waits = (seat.c.link == digest(secret)) & seat.c.session.is_(None) & seat.c.ended_at.is_(None)
    said = {"session": digest(value), "token": jti, "proved_at": now, "used_at": now}
    taken = update(seat).where(waits, seat.c.link_until > now, seat.c.ends_at > now).values(**said).returning(seat)
    row = (await session.execute(taken)).one_or_none()
    if row is None:
        return None
    await _stand_behind(session, jti, client_id=row.client_id, scopes=row.scopes, ends_at=row.ends_at)
    return Opened(value, row.ends_at)


async def begin(
    session: AsyncSession, *, client_id: str, clerk_id: uuid.UUID, scopes: Iterable[str], name: str, proved_at: datetime
) -> Opened:
    """Seat a clerk who has just proved who they are, at `proved_at`, for eight hours at most."""
    now, value, jti = clock.wall(), secrets.token_urlsafe(32), secrets.token_bytes(32)
    held, ends_at = sorted(scopes), proved_at + LONGEST
    await session.execute(
        insert(seat).values(
            id=ids.random(), client_id=client_id, clerk_id=clerk_id, name=name, scopes=held, session=digest(value),
            token=jti, proved_at=proved_at, made_at=now, used_at=now, ends_at=ends_at,
        )
    )  # fmt: skip
    await _stand_behind(session, jti, client_id=client_id, scopes=held, ends_at=ends_at)
    return Opened(value, ends_at)


async def _stand_behind(
    session: AsyncSession, jti: bytes, *, client_id: str, scopes: Iterable[str], ends_at: datetime
) -> None:
    row = {"jti_hash": jti, "client_id": client_id, "scope": " ".join(sorted(scopes)), "expires_at": ends_at}
    await session.execute(insert(token).values(**row))


async def find(session: AsyncSession, value: str, *, role: str) -> Seat | None:
    """The live seat of a cookie's value for clients of `role`, kept alive by being asked for; None for none."""
    now = clock.wall()
    query = select(seat, clerk.c.number).outerjoin(clerk, clerk.c.id == seat.c.clerk_id)
    mine = (seat.c.session == digest(value)) & (seat.c.used_at > now - IDLE) & _live()
    stays = or_(seat.c.clerk_id.is_(None), clerk.c.ended_at.is_(None))
    row = (await session.execute(query.where(mine, stays))).one_or_none()
    behind = None if row is None else await tokens.live(session, row.token)
    if row is None or behind is None or behind.client.role != role:
        return None
    if now - row.used_at > _STEP:
        await session.execute(update(seat).where(seat.c.id == row.id).values(used_at=now))
    scopes = behind.client.scopes.intersection(row.scopes)
    return Seat(row.id, behind.client, row.number, scopes, row.token, row.proved_at, row.ends_at)


async def of(session: AsyncSession, *, client_id: str) -> list[Listed]:
    """The seats of a client's own people that have not ended, newest first."""
    columns = (
        seat.c.id, seat.c.name, seat.c.scopes, seat.c.link_until, seat.c.proved_at, seat.c.used_at, seat.c.ends_at,
    )  # fmt: skip
    query = select(*columns).where(seat.c.client_id == client_id, seat.c.clerk_id.is_(None), _live())
    return [Listed(*row) for row in await session.execute(query.order_by(seat.c.made_at.desc(), seat.c.id))]


async def end(session: AsyncSession, *, seat_id: uuid.UUID, client_id: str) -> None:
    """End a live seat of a client now, with the token behind it. Raises NotFound."""
    await _end(session, (seat.c.id == seat_id) & (seat.c.client_id == client_id), needed=True)


async def end_by(session: AsyncSession, value: str) -> None:
    """End the live seat of a cookie's value, if it is one."""
    await _end(session, seat.c.session == digest(value), needed=False)


async def end_of_clerk(session: AsyncSession, *, clerk_id: uuid.UUID) -> None:
    """End every live seat of a clerk."""
    await _end(session, seat.c.clerk_id == clerk_id, needed=False)


async def _end(session: AsyncSession, which: ColumnElement[bool], *, needed: bool) -> None:
    over = update(seat).where(which, _live()).values(ended_at=clock.wall()).returning(seat.c.client_id, seat.c.token)
    rows = (await session.execute(over)).all()
    if needed and not rows:
        raise NotFound
    for row in rows:
        if row.token is not None:
            await tokens.revoke(session, client_id=row.client_id, jti_hash=row.token)


def _live() -> ColumnElement[bool]:
    return seat.c.ended_at.is_(None) & (seat.c.ends_at > clock.wall())


def digest(secret: str) -> bytes:
    """SHA-256 of a secret, which alone is stored."""
    return hashlib.sha256(secret.encode()).digest()

"""Who may look at what is a citizen's, and only look: a relative whom they invited.

Promises: a proxy lives until the day that the citizen named, twelve months at most, and ends at once when either of the
two ends it; whoever is not a proxy's holder finds nothing under its id. Does not promise what may be looked at: see
`api.behalf`.
"""

import uuid
from datetime import date, datetime
from typing import Literal

import msgspec
from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import terms
from auth.counter.tables import proxy
from core import clock, ids
from core.errors import Conflict, NotFound

MOST = 5
Basis = Literal["invited", "relative"]


class OwnInvitation(Conflict):
    """The invitation was drawn by the caller themselves."""

    code = "own_invitation"
    title = "This invitation is your own"


class TooManyProxies(Conflict):
    """The citizen has as many as one may have."""

    code = "too_many_proxies"
    title = "Too many people may look already"


class Proxy(msgspec.Struct, frozen=True):
    """One proxy: `proxy_id` may look at what is `citizen_id`'s."""

    id: uuid.UUID
    citizen_id: uuid.UUID
    proxy_id: uuid.UUID
    basis: Basis
    begun_at: datetime
    expires_at: datetime
    ended_at: datetime | None


async def begin(
    session: AsyncSession, *, citizen_id: uuid.UUID, proxy_id: uuid.UUID, basis: Basis, until_on: date
) -> Proxy:
    """Let somebody look until a day; an older proxy of the same two ends.

    Raises OwnInvitation, TooManyProxies, and Invalid for a day that is not within twelve months.
    """
    if citizen_id == proxy_id:
        raise OwnInvitation("Give the code to the person who shall look.")
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"auth.proxy|{citizen_id}", 0))))
    now = clock.civil()
    pair = (proxy.c.citizen_id == citizen_id) & (proxy.c.proxy_id == proxy_id)
    await session.execute(update(proxy).where(pair, proxy.c.ended_at.is_(None)).values(ended_at=now))
    if len([one for one in await of(session, citizen_id=citizen_id) if one.citizen_id == citizen_id]) >= MOST:
        detail = f"At most {MOST} people: end one first."
        raise TooManyProxies(detail)
    made = Proxy(ids.new(), citizen_id, proxy_id, basis, now, terms.expiry(until_on), None)
    await session.execute(insert(proxy).values(**msgspec.structs.asdict(made)))
    return made


async def held(session: AsyncSession, *, proxy_id: uuid.UUID, holder: uuid.UUID) -> Proxy:
    """A live proxy of this holder. Raises NotFound."""
    mine = (proxy.c.id == proxy_id) & (proxy.c.proxy_id == holder) & _live()
    row = (await session.execute(select(proxy).where(mine))).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Proxy(**row)


async def of(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Proxy]:
    """The live proxies that a citizen gave or holds, the newest first."""
    either = or_(proxy.c.citizen_id == citizen_id, proxy.c.proxy_id == citizen_id)
    rows = await session.execute(select(proxy).where(either, _live()).order_by(proxy.c.id.desc()))
    return [Proxy(**row) for row in rows.mappings()]


async def end(session: AsyncSession, *, proxy_id: uuid.UUID, by: uuid.UUID) -> Proxy:
    """End a live proxy now; either of the two may. Raises NotFound."""
    either = or_(proxy.c.citizen_id == by, proxy.c.proxy_id == by)
    over = update(proxy).where(proxy.c.id == proxy_id, either, _live()).values(ended_at=clock.civil()).returning(proxy)
    row = (await session.execute(over)).mappings().one_or_none()
    if row is None:
        raise NotFound
    return Proxy(**row)


async def end_all(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """End whatever a citizen gave or holds."""
    either = or_(proxy.c.citizen_id == citizen_id, proxy.c.proxy_id == citizen_id)
    await session.execute(update(proxy).where(either, proxy.c.ended_at.is_(None)).values(ended_at=clock.civil()))


def _live() -> ColumnElement[bool]:
    return proxy.c.ended_at.is_(None) & (proxy.c.expires_at > func.core.civil_now())

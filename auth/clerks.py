"""Clerks: who of an office may sit at the desk, and by which account of the city's identity provider they log in.

An office's system names its clerks, with no more scopes than it has itself, and hands each a link; whoever opens the
link logs in, and from then on that account is the clerk. Promises: an account is one clerk at most, so that two clerks
are two proved persons, whatever numbers their office gives them; a clerk who is ended is out at the next request; of
the account only a keyed digest is stored, which matches nothing else here. Does not keep names.
"""

import secrets
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth import seats
from auth.realname import Proved
from auth.seattables import clerk
from auth.tables import client
from core import clock, ids, sealed
from core.errors import Conflict, Forbidden, NotFound
from core.keys import Keyring

MOST = 500
LINK_LIFE = timedelta(days=1)


class ClerkExists(Conflict):
    """The office has a clerk of this number."""

    code = "clerk_exists"
    title = "There is a clerk of this number"


class TooManyClerks(Conflict):
    """The office has as many clerks as one may have."""

    code = "too_many_clerks"
    title = "Too many clerks"


class NotAClerk(Forbidden):
    """Whoever logged in is no clerk here."""

    code = "not_a_clerk"
    title = "This account is no clerk's"


class AccountIsAnother(Conflict):
    """The account that logged in is another clerk's already."""

    code = "account_is_another"
    title = "This account is another clerk's"


class Made(msgspec.Struct, frozen=True):
    """A clerk who has yet to log in; `secret` ties their account to the number, once, until `link_until`."""

    id: uuid.UUID
    secret: str
    link_until: datetime


class Clerk(msgspec.Struct, frozen=True):
    """A clerk of an office; `joined_at` None: nobody has used the link yet."""

    id: uuid.UUID
    client_id: str
    number: str
    scopes: list[str]
    made_at: datetime
    joined_at: datetime | None


async def name(session: AsyncSession, *, client_id: str, number: str, scopes: Iterable[str]) -> Made:
    """Let a person of an office sit at the desk, once they have logged in. Raises ClerkExists, TooManyClerks."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"auth.clerk|{client_id}", 0))))
    held = await of(session, client_id=client_id)
    if any(one.number == number for one in held):
        raise ClerkExists("End that clerk first, or give another number.")
    if len(held) >= MOST:
        detail = f"At most {MOST}: end one first."
        raise TooManyClerks(detail)
    secret, now = secrets.token_urlsafe(24), clock.wall()
    made = Made(ids.random(), secret, now + LINK_LIFE)
    row = {"id": made.id, "client_id": client_id, "number": number, "scopes": sorted(scopes), "made_at": now}
    link = {"link": seats.digest(secret), "link_until": made.link_until}
    await session.execute(insert(clerk).values(**row, **link))
    return made


async def join(session: AsyncSession, ring: Keyring, *, secret: str, proved: Proved) -> Clerk | None:
    """Tie the account that just logged in to the clerk of a link, once; None where the link is not good.

    Raises AccountIsAnother.
    """
    account = _digest(ring, proved)
    await session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(account[:8], signed=True))))
    if await session.scalar(select(clerk.c.id).where(clerk.c.account == account)):
        raise AccountIsAnother("One person is one clerk: have the other one ended first.")
    now = clock.wall()
    waits = (clerk.c.link == seats.digest(secret)) & clerk.c.account.is_(None) & clerk.c.ended_at.is_(None)
    said = {"account": account, "joined_at": now}
    taken = update(clerk).where(waits, clerk.c.link_until > now).values(**said).returning(*_COLUMNS)
    row = (await session.execute(taken)).one_or_none()
    return None if row is None else Clerk(*row)


async def arrive(session: AsyncSession, ring: Keyring, *, proved: Proved) -> Clerk:
    """The clerk of the account that just logged in, at an office that is not shut out. Raises NotAClerk."""
    here = client.c.disabled_at.is_(None) & (client.c.role == "staff")
    query = select(*_COLUMNS).join(client, client.c.client_id == clerk.c.client_id)
    mine = (clerk.c.account == _digest(ring, proved)) & clerk.c.ended_at.is_(None)
    row = (await session.execute(query.where(mine, here))).one_or_none()
    if row is None:
        raise NotAClerk("Ask your office for a link.")
    return Clerk(*row)


async def of(session: AsyncSession, *, client_id: str) -> list[Clerk]:
    """The clerks of an office who have not been ended, by number."""
    query = select(*_COLUMNS).where(clerk.c.client_id == client_id, clerk.c.ended_at.is_(None))
    return [Clerk(*row) for row in await session.execute(query.order_by(clerk.c.number))]


async def end(session: AsyncSession, *, client_id: str, clerk_id: uuid.UUID) -> Clerk:
    """End a clerk of an office: out at once, and the account is free. Raises NotFound."""
    mine = (clerk.c.id == clerk_id) & (clerk.c.client_id == client_id) & clerk.c.ended_at.is_(None)
    gone = {"ended_at": clock.wall(), "account": None, "link": None}
    row = (await session.execute(update(clerk).where(mine).values(**gone).returning(*_COLUMNS))).one_or_none()
    if row is None:
        raise NotFound
    await seats.end_of_clerk(session, clerk_id=clerk_id)
    return Clerk(*row)


_COLUMNS = (clerk.c.id, clerk.c.client_id, clerk.c.number, clerk.c.scopes, clerk.c.made_at, clerk.c.joined_at)


def _digest(ring: Keyring, proved: Proved) -> bytes:
    return sealed.digest(ring.derive("clerk"), f"{proved.provider}|{proved.subject}")

"""Accounts: the ways in which a citizen comes. One citizen may have several; an account leads to one citizen.

Promises: an account is found by a keyed digest of (provider, subject) alone; the subject, its alias and the telephone
number are sealed under the citizen's identity key. An account passes to another citizen only by `move`, which
`auth.citizens` calls after a fresh proof of a real name. A telephone number finds nobody: numbers are given away again.
Does not promise that whoever holds an account may do anything: see `auth.assurance`.
"""

import uuid
from datetime import datetime

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tables import account, phone
from core import clock, keys, sealed
from core.keys import Keyring


class Came(msgspec.Struct, frozen=True):
    """Somebody who came by an account: `alias` is a name that the provider uses for the same person elsewhere."""

    provider: str
    subject: str
    alias: str | None = None


class Account(msgspec.Struct, frozen=True):
    """One way in, as its citizen sees it."""

    provider: str
    linked_at: datetime


def digests(ring: Keyring, came: Came) -> list[bytes]:
    """What finds an account without holding it: search them all, write the first (`Keyring.blind`)."""
    return ring.blind("auth.account.digest", _named(came))


def turn(ring: Keyring, came: Came) -> bytes:
    """What stands for an account in `in_turn`, the same in every epoch; never stored."""
    return sealed.digest(ring.derive("account"), _named(came))


async def in_turn(session: AsyncSession, *digests: bytes) -> None:
    """Let arrivals of one person or one account pass one after another, so that two first ones make one citizen."""
    for number in sorted(int.from_bytes(digest[:8], signed=True) for digest in digests):
        await session.execute(select(func.pg_advisory_xact_lock(number)))


async def holder(session: AsyncSession, ring: Keyring, came: Came) -> uuid.UUID | None:
    """The citizen whom an account leads to; None for an account that never came."""
    return await session.scalar(select(account.c.citizen_id).where(account.c.digest.in_(digests(ring, came))))


async def link(session: AsyncSession, ring: Keyring, came: Came, *, citizen_id: uuid.UUID) -> None:
    """Let an account lead to a citizen from now on. Whoever had it before has it no more."""
    candidates = digests(ring, came)
    key = await keys.make(session, ring, owner=citizen_id, purpose="identity")
    row = {"digest": candidates[0], "citizen_id": citizen_id, "provider": came.provider, "linked_at": clock.civil()}
    row["sealed"] = seal(key, came, candidates[0])
    known = update(account).where(account.c.digest.in_(candidates)).values(**row).returning(account.c.digest)
    if (await session.execute(known)).first() is None:
        await session.execute(insert(account).values(**row))


def seal(key: bytes, came: Came, digest: bytes) -> bytes:
    """Who came, under the citizen's identity key, for the row of this digest."""
    return sealed.seal(key, msgspec.json.encode(came), place=("auth.account", "sealed", digest))


async def move(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, to: uuid.UUID) -> int:
    """Let every account of a citizen lead to another one, after a fresh proof (`auth.citizens`); returns how many."""
    rows = (await session.execute(select(account).where(account.c.citizen_id == citizen_id).with_for_update())).all()
    if not rows:
        return 0
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="identity")
    own = await keys.make(session, ring, owner=to, purpose="identity")
    for row in rows:
        opened = sealed.unseal(key, row.sealed, place=("auth.account", "sealed", row.digest))
        new = {"citizen_id": to, "sealed": seal(own, msgspec.json.decode(opened, type=Came), row.digest)}
        await session.execute(
            update(account).where(account.c.digest == row.digest).values(**new, linked_at=clock.civil())
        )
    return len(rows)


async def of(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Account]:
    """A citizen's ways in, oldest first."""
    query = select(account.c.provider, account.c.linked_at).where(account.c.citizen_id == citizen_id)
    rows = await session.execute(query.order_by(account.c.linked_at, account.c.provider))
    return [Account(row.provider, row.linked_at) for row in rows]


async def bind_phone(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, number: str) -> None:
    """Keep a verified telephone number in the place of any earlier one."""
    key = await keys.make(session, ring, owner=citizen_id, purpose="identity")
    row = {
        "sealed": sealed.seal(key, number.encode(), place=("auth.phone", "sealed", citizen_id.bytes)),
        "verified_at": clock.civil(),
    }
    one = insert(phone).values(citizen_id=citizen_id, **row)
    await session.execute(one.on_conflict_do_update(index_elements=[phone.c.citizen_id], set_=row))


async def has_phone(session: AsyncSession, *, citizen_id: uuid.UUID) -> bool:
    """Whether a number was verified for this citizen."""
    return await session.scalar(select(phone.c.citizen_id).where(phone.c.citizen_id == citizen_id)) is not None


async def phone_of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> str | None:
    """The verified number, for its citizen alone; None when there is none."""
    held = await session.scalar(select(phone.c.sealed).where(phone.c.citizen_id == citizen_id))
    if held is None:
        return None
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="identity")
    return sealed.unseal(key, held, place=("auth.phone", "sealed", citizen_id.bytes)).decode()


async def forget(session: AsyncSession, *, citizen_id: uuid.UUID) -> int:
    """Delete every account and the telephone number of a citizen who leaves; returns how many rows."""
    gone = 0
    for table in (account, phone):
        done = await session.execute(
            delete(table).where(table.c.citizen_id == citizen_id).returning(table.c.citizen_id)
        )
        gone += len(done.all())
    return gone


def _named(came: Came) -> str:
    return f"{came.provider}|{came.subject}"

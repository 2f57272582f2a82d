"""Citizens: who they are, once somebody proved it, and how they come to be here.

Promises: a person is who a provider proved them to be, by ID number: another account of the same person is the same
citizen, and no account ever passes from one proved person to another. Somebody without a proved name is a citizen too,
with nothing but accounts, until they prove one: if that name is here already, the account that they hold joins it,
after that very proof and never before. Name, ID number and birth date are sealed under the person's own identity key;
what finds them is keyed digests. Does not promise that a citizen wants points: that is a consent, and minors are told
no there, not here.
"""

import uuid
from datetime import date

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth import accounts
from auth.accounts import Came
from auth.assurance import REAL_NAME, WECHAT
from auth.realname import NoIdentity, Proved, RealNameNeeded
from auth.tables import account as accounts_table
from auth.tables import citizen
from core import audit, clock, idnumber, ids, keys, sealed
from core.errors import Conflict, NotFound
from core.keys import Keyring

_LONGEST_NAME = 64


class AccountTaken(Conflict):
    """The account belongs to somebody whose proved ID number is another one."""

    code = "account_taken"
    title = "This account belongs to another person here"


class Profile(msgspec.Struct, frozen=True):
    """Who a citizen is. Personal data: open it only where it is needed, and never log it."""

    name: str
    id_number: str
    birth_date: date


def id_digests(ring: Keyring, id_number: str) -> list[bytes]:
    """What finds a citizen by ID number without holding it: search them all, write the first (`Keyring.blind`)."""
    return ring.blind("auth.citizen.id_digest", idnumber.normal(id_number))


async def arrive(session: AsyncSession, ring: Keyring, *, proved: Proved) -> uuid.UUID:
    """The citizen behind a fresh proof of identity; made at the first arrival, refreshed at every other.

    `session` is of the auth door. Raises NoIdentity, AccountTaken.
    """
    came, profile = Came(proved.provider, proved.subject), _profile(proved)
    turns = [] if profile is None else [sealed.digest(ring.derive("arrival"), profile.id_number)]
    await accounts.in_turn(session, accounts.turn(ring, came), *turns)
    held = await accounts.holder(session, ring, came)
    if profile is None:
        return held or await _make(session, ring, came, acr=REAL_NAME)
    person = await find(session, ring, id_number=profile.id_number)
    if held not in {None, person} and await _is_proved(session, held):
        raise AccountTaken("Go to a counter with your ID card; nothing was changed.")
    citizen_id = person or held or ids.new()
    if person is None and held is None:
        await session.execute(insert(citizen).values(id=citizen_id, acr=REAL_NAME, created_at=clock.civil()))
    await _know(session, ring, citizen_id, profile, index=None if person else id_digests(ring, profile.id_number)[0])
    await accounts.link(session, ring, came, citizen_id=citizen_id)
    if held not in {None, citizen_id}:
        await _drop(session, held)
    return citizen_id


async def come(session: AsyncSession, ring: Keyring, *, came: Came) -> uuid.UUID:
    """The citizen behind an account that proves no name; made, without one, at the first arrival."""
    await accounts.in_turn(session, accounts.turn(ring, came))
    held = await accounts.holder(session, ring, came)
    return held or await _make(session, ring, came, acr=WECHAT)


async def join(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, proved: Proved) -> uuid.UUID:
    """The citizen behind a fresh proof, given by whoever came as `citizen_id`, whose accounts lead there from now on.

    A citizen without a name is gone afterwards; whoever gains an account finds it among their accesses. Raises
    NoIdentity; AccountTaken when `citizen_id` is another proved person, and then the caller's transaction must end.
    """
    person = await arrive(session, ring, proved=proved)
    if person == citizen_id:
        return person
    if await _is_proved(session, citizen_id):
        raise AccountTaken("Log in with the account that belongs to you, or go to a counter; nothing was changed.")
    if not await accounts.move(session, ring, citizen_id=citizen_id, to=person):
        return person
    await _drop(session, citizen_id)
    me = audit.Actor("citizen", "self")
    await audit.write(session, actor=me, action="account.link", purpose="login", outcome="done", owner=person)
    return person


async def is_here(session: AsyncSession, citizen_id: uuid.UUID) -> bool:
    """Whether there is such a citizen, named or not."""
    return await session.scalar(select(citizen.c.id).where(citizen.c.id == citizen_id)) is not None


async def find(session: AsyncSession, ring: Keyring, *, id_number: str) -> uuid.UUID | None:
    """The citizen of an ID number, or None."""
    return await session.scalar(select(citizen.c.id).where(citizen.c.id_digest.in_(id_digests(ring, id_number))))


async def profile(session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID) -> Profile:
    """Who a citizen is. Raises NotFound, KeyGone when the person has left, RealNameNeeded when nobody proved it."""
    known = await known_profile(session, ring, citizen_id)
    if known is None:
        raise RealNameNeeded
    return known


async def known_profile(session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID) -> Profile | None:
    """As `profile`, and None for a citizen without a proved name."""
    row = (await session.execute(select(citizen.c.sealed_profile).where(citizen.c.id == citizen_id))).one_or_none()
    if row is None:
        raise NotFound
    if row.sealed_profile is None:
        return None
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="identity")
    return read_profile(key, row.sealed_profile, citizen_id)


def read_profile(key: bytes, value: bytes, citizen_id: uuid.UUID) -> Profile:
    """Open a profile with its citizen's identity key."""
    return msgspec.json.decode(sealed.unseal(key, value, place=_place(citizen_id)), type=Profile)


def _profile(proved: Proved) -> Profile | None:
    """The person behind a proof, None where the provider gives neither name nor number."""
    if proved.name is None and proved.id_number is None:
        return None
    name, number = (proved.name or "").strip(), proved.id_number or ""
    born = idnumber.check(number)
    if born is None or not 0 < len(name) <= _LONGEST_NAME:
        raise NoIdentity("Verify your real name with the identity provider first, then log in again.")
    return Profile(name, idnumber.normal(number), born)


async def _is_proved(session: AsyncSession, citizen_id: uuid.UUID | None) -> bool:
    return await session.scalar(select(citizen.c.id_digest).where(citizen.c.id == citizen_id)) is not None


async def _make(session: AsyncSession, ring: Keyring, came: Came, *, acr: int) -> uuid.UUID:
    """A citizen without a name."""
    citizen_id = ids.new()
    await session.execute(insert(citizen).values(id=citizen_id, acr=acr, created_at=clock.civil()))
    await accounts.link(session, ring, came, citizen_id=citizen_id)
    return citizen_id


async def _know(
    session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID, profile: Profile, *, index: bytes | None
) -> None:
    """Write who a citizen is, sealed; `index` is what finds them, None where that is there already."""
    key = await keys.make(session, ring, owner=citizen_id, purpose="identity")
    held = sealed.seal(key, msgspec.json.encode(profile), place=_place(citizen_id))
    found_by = {} if index is None else {"id_digest": index}
    row = {"acr": REAL_NAME, "sealed_profile": held, **found_by}
    await session.execute(update(citizen).where(citizen.c.id == citizen_id).values(**row))


async def _drop(session: AsyncSession, citizen_id: uuid.UUID | None) -> None:
    """Forget a citizen without a name and without an account; sessions, tokens and telephone number end with it."""
    other = select(accounts_table.c.digest).where(accounts_table.c.citizen_id == citizen_id)
    if citizen_id is None or await session.scalar(other.limit(1)) is not None:
        return
    await keys.destroy(session, owner=citizen_id, purpose="identity")
    await session.execute(delete(citizen).where(citizen.c.id == citizen_id, citizen.c.id_digest.is_(None)))


def _place(citizen_id: uuid.UUID) -> tuple[str, str, bytes]:
    return "auth.citizen", "sealed_profile", citizen_id.bytes

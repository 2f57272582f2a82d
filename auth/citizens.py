"""Citizens as they come from the city's identity provider.

Promises: a person is who the provider proved them to be, by ID number: another account of the same person is the same
citizen, and an account never passes from one person to another. Name, ID number and birth date are sealed under the
person's own identity key; what finds them is keyed digests. Does not promise that a citizen wants points: that is a
consent, and minors are told no there, not here.
"""

import uuid
from datetime import date, datetime

import msgspec
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tables import citizen
from core import clock, idnumber, ids, keys, sealed
from core.errors import Conflict, NotFound, Problem
from core.keys import Keyring

REAL_NAME = 3
_LONGEST_NAME = 64


class NoIdentity(Problem):
    """The provider proved no usable name or ID number."""

    code = "no_identity"
    status = 403
    title = "The identity provider gave no verified identity"


class AccountTaken(Conflict):
    """The provider's account came with another ID number before."""

    code = "account_taken"
    title = "This account belongs to another person here"


class Proved(msgspec.Struct, frozen=True):
    """What an identity provider proved: its own account of the person, the verified name and ID number, and when."""

    provider: str
    subject: str
    name: str
    id_number: str
    at: datetime


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
    profile = _profile(proved)
    digests = id_digests(ring, profile.id_number)
    account = sealed.digest(ring.derive("account"), f"{proved.provider}|{proved.subject}")
    await _in_turn(session, sealed.digest(ring.derive("arrival"), profile.id_number), account)
    known = await session.scalar(select(citizen.c.id).where(citizen.c.id_digest.in_(digests)))
    holder = await session.scalar(select(citizen.c.id).where(citizen.c.account == account))
    if holder not in {None, known}:
        raise AccountTaken("Go to a counter with your ID card; nothing was changed.")
    citizen_id = known or ids.new()
    key = await keys.make(session, ring, owner=citizen_id, purpose="identity")
    row = {"account": account, "acr": REAL_NAME, "sealed_profile": _sealed(key, citizen_id, profile)}
    if known is None:
        await session.execute(
            insert(citizen).values(id=citizen_id, id_digest=digests[0], created_at=clock.civil(), **row)
        )
    else:
        await session.execute(update(citizen).where(citizen.c.id == citizen_id).values(**row))
    return citizen_id


async def find(session: AsyncSession, ring: Keyring, *, id_number: str) -> uuid.UUID | None:
    """The citizen of an ID number, or None."""
    return await session.scalar(select(citizen.c.id).where(citizen.c.id_digest.in_(id_digests(ring, id_number))))


async def profile(session: AsyncSession, ring: Keyring, citizen_id: uuid.UUID) -> Profile:
    """Who a citizen is; NotFound when there is no such citizen, KeyGone when the person has left."""
    held = await session.scalar(select(citizen.c.sealed_profile).where(citizen.c.id == citizen_id))
    if held is None:
        raise NotFound
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="identity")
    return msgspec.json.decode(sealed.unseal(key, held, place=_place(citizen_id)), type=Profile)


def _profile(proved: Proved) -> Profile:
    name = proved.name.strip()
    born = idnumber.check(proved.id_number)
    if born is None or not 0 < len(name) <= _LONGEST_NAME:
        raise NoIdentity("Verify your real name with the identity provider first, then log in again.")
    return Profile(name, idnumber.normal(proved.id_number), born)


def _sealed(key: bytes, citizen_id: uuid.UUID, profile: Profile) -> bytes:
    return sealed.seal(key, msgspec.json.encode(profile), place=_place(citizen_id))


def _place(citizen_id: uuid.UUID) -> tuple[str, str, bytes]:
    return "auth.citizen", "sealed_profile", citizen_id.bytes


async def _in_turn(session: AsyncSession, *digests: bytes) -> None:
    """Let arrivals of one person or one account pass one after another, so that two first ones make one citizen."""
    for number in sorted(int.from_bytes(digest[:8], signed=True) for digest in digests):
        await session.execute(select(func.pg_advisory_xact_lock(number)))

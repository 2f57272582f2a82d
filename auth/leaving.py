"""The end of a citizen in this room: ways in, tokens, cards, relatives, matters, and what found the person.

Everything that carries a citizen's id goes, in the leaving's own transaction, but the evidence of consents, which stays
under a random number that nothing leads to any more (PIPL articles 14 and 17: who processes data must be able to prove
the consent). Promises that an arrival of the same person waits for the end and then makes somebody new.
"""

import hashlib
import uuid
from collections.abc import Mapping
from typing import get_args

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auth import accounts, citizens
from auth.consent import ledger
from auth.tables import citizen
from core import keys, sealed
from core.errors import NotFound
from core.keys import Keyring, Purpose
from core.tables import person_key

_KEY_NAME = 8


async def is_here(session: AsyncSession, *, citizen_id: uuid.UUID) -> bool:
    """Whether the citizen has not left."""
    return await session.scalar(select(citizen.c.id).where(citizen.c.id == citizen_id)) is not None


async def turn(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """Wait for the citizen's turn (`ledger.turn`), and make sure that they did not leave meanwhile. Raises NotFound.

    Whoever writes something new about a citizen calls this first, so that nothing is written behind their back.
    """
    await ledger.turn(session, citizen_id=citizen_id)
    if not await is_here(session, citizen_id=citizen_id):
        raise NotFound


async def hold(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> None:
    """Let no arrival of this person pass until the transaction ends."""
    known = await citizens.known_profile(session, ring, citizen_id)
    if known is not None:
        await accounts.in_turn(session, sealed.digest(ring.derive("arrival"), known.id_number))


async def key_names(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[str]:
    """Every key of the citizen by purpose, epoch and the beginning of SHA-256 of it as it is wrapped.

    Whoever holds a copy of the database can find by that which row of it must not be there any more.
    """
    rows = await session.execute(select(person_key).where(person_key.c.owner == citizen_id))
    return sorted(f"{row.purpose}/{row.epoch}/{_name(row.wrapped)}" for row in rows)


async def destroy_keys(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """Destroy every key of the citizen."""
    for purpose in get_args(Purpose):
        await keys.destroy(session, owner=citizen_id, purpose=purpose)


async def forget(session: AsyncSession, *, proof: bytes) -> Mapping[str, int]:
    """Delete the citizen whose live session or token has this hash, and all that is theirs here; the last act of all.

    Returns how many rows went, of the tables that say so; rows that hang on the citizen go with them uncounted.
    `session` is of the citizen door; nothing of the citizen can be reached by it afterwards.
    """
    rows = await session.execute(text("select name, gone from auth.leave(:proof)"), {"proof": proof})
    return {row.name: row.gone for row in rows}


def _name(wrapped: bytes) -> str:
    return hashlib.sha256(wrapped).digest()[:_KEY_NAME].hex()

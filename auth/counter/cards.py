"""City cards: how a person without a telephone is known at a counter, with the PIN that they chose there.

Promises: neither number nor PIN is stored: a keyed digest finds the card, a slow digest (Argon2id, RFC 9106) under a
key outside the database knows the PIN, and the number, sealed under the citizen's identity key, is shown to nobody but
its last four digits. A try is counted before it is judged, so that however many come at once, five wrong ones lock the
card for a day. Does not promise that a card is whose it is said to be: where no reader saw it, a card that is bound
already stays where it is.
"""

import asyncio
import hmac
import os
import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlalchemy import Row, case, delete, func, insert, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.counter.tables import card
from core import clock, ids, keys, sealed
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.keys import Keyring

MOST_TRIES = 5
LOCKED = timedelta(days=1)
MOST_CARDS = 3
_NOBODY = bytes(16)
_STRAIGHT = re.compile(r"(\d)\1{5}|012345|123456|234567|345678|456789|987654|876543|765432|654321|543210")


class CardTaken(Conflict):
    """The card is bound to somebody else, or the citizen has as many as one may have."""

    code = "card_not_bound"
    title = "This card cannot be bound here"


class WeakPin(Invalid):
    """A PIN that a stranger would try first."""

    code = "weak_pin"
    title = "Choose another PIN"


class Issuer(msgspec.Struct, frozen=True):
    """An operator whose lists know the card, by its name; `retired` when it said that the number is out of use."""

    name: str
    retired: bool


class Card(msgspec.Struct, frozen=True):
    """A bound card as its holder sees it: `ending` are the last four digits; a lost one opens nothing."""

    id: uuid.UUID
    ending: str
    bound_at: datetime
    lost_at: datetime | None = None
    issuers: tuple[Issuer, ...] = ()


class Tried(msgspec.Struct, frozen=True):
    """What a number and a PIN proved: `citizen_id` is the card's holder, `right` whether it was them."""

    citizen_id: uuid.UUID | None
    right: bool


async def bind(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, number: str, pin: str, seen: bool,
    replaces: uuid.UUID | None = None,
) -> Card:  # fmt: skip
    """Bind a card to a citizen with a new PIN; `seen`: a counter's reader holds it, which moves it from anybody else.

    `replaces`: a card of theirs that it takes the place of. Raises WeakPin, CardTaken, NotFound.
    """
    if _STRAIGHT.fullmatch(pin):
        advice = "Six digits that are neither all the same nor in a row."
        raise WeakPin(advice, errors=[FieldError("/pin", "weak", advice)])
    found = digest(ring, number)
    await session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(found[:8], signed=True))))
    holder = await session.scalar(select(card.c.citizen_id).where(card.c.digest == found))
    if holder not in {None, citizen_id} and not seen:
        raise CardTaken("Take the card to a counter; nothing was changed.")
    if replaces is not None:
        await unbind(session, citizen_id=citizen_id, card_id=replaces)
    await session.execute(delete(card).where(card.c.digest == found))
    held = select(func.count()).select_from(card).where(card.c.citizen_id == citizen_id)
    if (await session.scalar(held) or 0) >= MOST_CARDS:
        detail = f"At most {MOST_CARDS} cards: remove one first."
        raise CardTaken(detail)
    made, now, salt = ids.new(), clock.wall(), os.urandom(16)
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="identity")
    row = {"digest": found, "id": made, "citizen_id": citizen_id, "salt": salt, "bound_at": now, "tries": 0}
    row["sealed_number"] = sealed.seal(key, number.encode(), place=_place(made))
    row["pin"] = await _slow(ring, pin, salt)
    await session.execute(insert(card).values(**row))
    return Card(made, number[-4:], now)


async def of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> list[Card]:
    """A citizen's cards, the oldest first."""
    rows = (await session.execute(select(card).where(card.c.citizen_id == citizen_id).order_by(card.c.id))).all()
    key = await keys.fetch(session, ring, owner=citizen_id, purpose="identity") if rows else b""
    issuers = await _issuers(session, citizen_id) if rows else {}
    return [
        Card(row.id, _number(ring, key, row)[-4:], row.bound_at, row.lost_at, tuple(issuers.get(row.id, ())))
        for row in rows
    ]


async def _issuers(session: AsyncSession, citizen_id: uuid.UUID) -> dict[uuid.UUID, list[Issuer]]:
    """Who knows which card of a citizen."""
    found: dict[uuid.UUID, list[Issuer]] = {}
    for row in await session.execute(text("select * from auth.issuers_of(:citizen)"), {"citizen": citizen_id}):
        found.setdefault(row.card_id, []).append(Issuer(row.operator, row.retired))
    return found


async def lose(session: AsyncSession, *, citizen_id: uuid.UUID, card_id: uuid.UUID) -> None:
    """Let a card open nothing and be on no list from now on, until it is bound anew. Raises NotFound for another's."""
    mine = (card.c.id == card_id) & (card.c.citizen_id == citizen_id)
    lost = update(card).where(mine).values(lost_at=func.coalesce(card.c.lost_at, clock.wall())).returning(card.c.id)
    if (await session.execute(lost)).one_or_none() is None:
        raise NotFound


async def unbind(session: AsyncSession, *, citizen_id: uuid.UUID, card_id: uuid.UUID) -> None:
    """Take a card from its holder. Raises NotFound for anybody else's."""
    mine = (card.c.id == card_id) & (card.c.citizen_id == citizen_id)
    if (await session.execute(delete(card).where(mine).returning(card.c.id))).one_or_none() is None:
        raise NotFound


async def unbind_all(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """Take every card from a citizen."""
    await session.execute(delete(card).where(card.c.citizen_id == citizen_id))


async def tried(claims: AsyncSession, ring: Keyring, *, number: str, pin: str) -> Tried:
    """Judge a number and a PIN; an unknown card, a locked one and a wrong PIN cost the same time.

    `claims` commits at once: what was tried stays counted.
    """
    found, now = digest(ring, number), clock.wall()
    over = card.c.tried_at < now - LOCKED
    counted = (
        update(card)
        .where(card.c.digest == found, card.c.lost_at.is_(None), or_(card.c.tries < MOST_TRIES, over))
        .values(tries=case((over, 1), else_=card.c.tries + 1), tried_at=now)
        .returning(card.c.citizen_id, card.c.salt, card.c.pin)
    )
    row = (await claims.execute(counted)).one_or_none()
    made = await _slow(ring, pin, row.salt if row else _NOBODY)
    if row is None:
        return Tried(await claims.scalar(select(card.c.citizen_id).where(card.c.digest == found)), right=False)
    right = hmac.compare_digest(made, row.pin)
    if right:
        await claims.execute(update(card).where(card.c.digest == found).values(tries=0))
    return Tried(row.citizen_id, right)


def digest(ring: Keyring, number: str) -> bytes:
    """What finds a card by its number: HMAC-SHA-256 under a key of the deployment."""
    return sealed.digest(ring.derive("card-number"), number)


async def _slow(ring: Keyring, pin: str, salt: bytes) -> bytes:
    """Argon2id, 19 MiB and two passes (OWASP's least), over the PIN under a key that no copy of the database has."""
    keyed = sealed.digest(ring.derive("card-pin"), pin)
    slow = Argon2id(salt=salt, length=32, iterations=2, lanes=1, memory_cost=19 * 1024)
    return await asyncio.to_thread(slow.derive, keyed)


def sealed_replacement(ring: Keyring, number: str) -> bytes:
    """The number that an operator puts in another's place, sealed before anybody looks whose it is."""
    return sealed.seal(ring.derive("card-replaced"), number.encode(), place=_replacing(digest(ring, number)))


def _number(ring: Keyring, key: bytes, row: Row[Any]) -> str:
    """The number of a bound card, the operator's newest where it was replaced."""
    if row.replaced is not None:
        return sealed.unseal(ring.derive("card-replaced"), row.replaced, place=_replacing(row.digest)).decode()
    return sealed.unseal(key, row.sealed_number, place=_place(row.id)).decode()


def _replacing(digest_of: bytes) -> tuple[str, str, bytes]:
    return "auth.card", "replaced", digest_of


def _place(card_id: uuid.UUID) -> tuple[str, str, bytes]:
    return "auth.card", "sealed_number", card_id.bytes

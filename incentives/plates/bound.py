"""A citizen's plates: typed for one car park and perk, seen by their owner alone, gone with the consent.

Promises: a plate in words is sealed under the citizen's identity key and opened for nobody else; the car park's digest
of it finds nobody until its holder shows a code at the exit (`incentives.plates.pairs`), so typing a stranger's plate
brings nobody into anything, and is answered like any other.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import ledger
from core import clock, ids, keys, sealed
from core.errors import Conflict, FieldError, Invalid, NotFound
from core.keys import Keyring
from incentives.plates import spelling
from incentives.plates.tables import plate

MOST = 3


class ShareMissing(Conflict):
    """The citizen does not let this car park know about this perk."""

    code = "share_missing"
    title = "Consent first"


class TooManyPlates(Conflict):
    """The citizen has as many plates with this car park as one may have."""

    code = "too_many_plates"
    title = "Too many plates"


class Plate(msgspec.Struct, frozen=True):
    """A plate as its owner sees it; `confirmed_at` None: the car park was not told of it, or of it no more."""

    id: uuid.UUID
    partner: str
    perk: str
    plate: str
    typed_at: datetime
    confirmed_at: datetime | None


async def bind(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, partner: str, perk: str, text: str, key: bytes
) -> Plate:
    """Keep a plate for a car park whose digest key is `key`; what is there already is given again.

    Raises Invalid for what is no plate, ShareMissing, TooManyPlates.
    """
    if (spelled := spelling.normal(text)) is None:
        advice = "Province, letter, and five characters, or six of a new-energy vehicle; never I or O."
        raise Invalid(errors=[FieldError("/plate", "bad_plate", advice)])
    await ledger.turn(session, citizen_id=citizen_id)
    if await ledger.live(session, citizen_id=citizen_id, purpose=f"share:{partner}/{perk}") is None:
        raise ShareMissing("Consent to share with this car park for this perk, then send the plate.")
    there = await of(session, ring, citizen_id=citizen_id)
    if same := [one for one in there if (one.partner, one.perk, one.plate) == (partner, perk, spelled)]:
        return same[0]
    if sum(one.partner == partner for one in there) >= MOST:
        detail = f"At most {MOST} with one car park: remove one first."
        raise TooManyPlates(detail)
    made = Plate(ids.new(), partner, perk, spelled, clock.civil(), None)
    own = await keys.fetch(session, ring, owner=citizen_id, purpose="identity")
    await session.execute(
        insert(plate).values(
            id=made.id, citizen_id=citizen_id, partner_id=partner, perk_id=perk, digest=sealed.digest(key, spelled),
            sealed=sealed.seal(own, spelled.encode(), place=_place(made.id)), typed_at=made.typed_at,
        )
    )  # fmt: skip
    return made


async def of(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID) -> list[Plate]:
    """A citizen's plates, the oldest first."""
    rows = (await session.execute(select(plate).where(plate.c.citizen_id == citizen_id).order_by(plate.c.id))).all()
    if not rows:
        return []
    own = await keys.fetch(session, ring, owner=citizen_id, purpose="identity")
    return [
        Plate(
            row.id, row.partner_id, row.perk_id, sealed.unseal(own, row.sealed, place=_place(row.id)).decode(),
            row.typed_at, row.confirmed_at,
        )
        for row in rows
    ]  # fmt: skip


async def unbind(session: AsyncSession, *, citizen_id: uuid.UUID, plate_id: uuid.UUID) -> None:
    """Take a plate back: the car park's pair is over. Raises NotFound for anybody else's."""
    mine = (plate.c.id == plate_id) & (plate.c.citizen_id == citizen_id)
    if (await session.execute(delete(plate).where(mine).returning(plate.c.id))).one_or_none() is None:
        raise NotFound


async def erase(session: AsyncSession, *, citizen_id: uuid.UUID, purpose: str) -> None:
    """Delete what stood on a consent `share:<partner>/<perk>` that is over; harmless for any other purpose."""
    partner, _, perk = purpose.removeprefix("share:").partition("/")
    await session.execute(delete(plate).where(_of(citizen_id), plate.c.partner_id == partner, plate.c.perk_id == perk))


async def counts(session: AsyncSession, *, citizen_id: uuid.UUID) -> Mapping[str, int]:
    """How many rows a citizen has, by table."""
    found = await session.scalar(select(func.count()).select_from(plate).where(_of(citizen_id)))
    return {plate.fullname: found or 0}


def _of(citizen_id: uuid.UUID) -> ColumnElement[bool]:
    return plate.c.citizen_id == citizen_id


def _place(plate_id: uuid.UUID) -> tuple[str, str, bytes]:
    return "incentives.plate", "sealed", plate_id.bytes

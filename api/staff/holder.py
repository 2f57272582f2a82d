"""Who stands at the counter: an ID card that the reader read, a city card with its PIN, or a code from the phone.

Promises: a person who is not here, a wrong PIN, a locked card, another name and a used code get one and the same
answer, and every such try leaves an entry that the person, where there is one, will see.
"""

import uuid
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from api.deps import House
from api.guards import Client
from api.staff import limits
from auth import citizens
from auth.counter import cards, spoken
from core import audit, sealed
from core.audit import Actor
from core.errors import FieldError, Forbidden, Invalid

Number = Annotated[str, Meta(pattern=r"^[0-9]{17}[0-9Xx]$")]
CardNo = Annotated[str, Meta(pattern=r"^[0-9]{8,19}$")]
Pin = Annotated[str, Meta(pattern=r"^[0-9]{6}$")]


class HolderNotProved(Forbidden):
    """Nobody of this counter's, or not proved; which of them is not said."""

    code = "holder_not_proved"
    title = "The person was not proved"


class IdCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the card reader read; the clerk has compared the face."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    number: Number


class Holder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exactly one proof: `id_card`, `card_no` with `pin`, or `login_code`, which the citizen drew on their phone."""

    id_card: IdCard | UnsetType = UNSET
    card_no: CardNo | UnsetType = UNSET
    pin: Pin | UnsetType = UNSET
    login_code: Annotated[str, Meta(min_length=8, max_length=16)] | UnsetType = UNSET


class Visit(msgspec.Struct, frozen=True):
    """Who asks, why, and for what act: the words of an entry."""

    caller: Client
    clerk: str
    purpose: str
    action: str


class Proved(msgspec.Struct, frozen=True):
    """Who was proved, and by which proof."""

    citizen_id: uuid.UUID
    by: str


class _Seen(msgspec.Struct, frozen=True):
    """Whom a proof is about, where that is known, and whether it held."""

    citizen_id: uuid.UUID | None
    held: bool


async def prove(session: AsyncSession, house: House, *, shown: Holder, visit: Visit) -> Proved:
    """The citizen who stands there; `session` works on the auth door and uses a login code up.

    Raises Invalid for more or less than one proof, TooMany, HolderNotProved.
    """
    return await _prove(session, house, shown, visit, None)


async def prove_the_same(
    session: AsyncSession, house: House, *, shown: Holder, visit: Visit, citizen_id: uuid.UUID
) -> Proved:
    """The same citizen once more, by a card: a phone's code does not show that they are here. Raises as `prove`."""
    if shown.login_code is not UNSET:
        raise Invalid(
            "Read a card.", errors=[FieldError("/holder/login_code", "card_wanted", "Send id_card or card_no.")]
        )
    return await _prove(session, house, shown, visit, citizen_id)


async def _prove(session: AsyncSession, house: House, shown: Holder, visit: Visit, whose: uuid.UUID | None) -> Proved:
    by, value = _one(shown)
    office, clerk = visit.caller.client_id, visit.clerk
    digest = sealed.digest(house.ring.derive("counter-limits"), f"{by}|{value}")
    await limits.spend(house.short, office=office, clerk=clerk, shown=digest)
    seen = await _look(session, house, shown)
    if seen.held and seen.citizen_id is not None and whose in {None, seen.citizen_id}:
        return Proved(seen.citizen_id, by)
    await limits.wrong(house.short, office=office, clerk=clerk)
    async with house.doors.claims("auth") as claims:
        await note(claims, visit, outcome="denied", owner=seen.citizen_id, by=by)
    raise HolderNotProved("Look whether the card, the PIN or the code is right; a city card locks after five tries.")


async def note(session: AsyncSession, visit: Visit, *, outcome: str, owner: uuid.UUID | None, by: str) -> None:
    """Leave the entry of a visit, which its owner sees."""
    await audit.write(
        session,
        actor=Actor("staff", visit.caller.client_id),
        action=visit.action,
        purpose=visit.purpose,
        outcome=outcome,
        owner=owner,
        detail={"clerk": visit.clerk, "proved_by": by},
    )


def _one(shown: Holder) -> tuple[str, str]:
    """Which proof was shown, and the value that is counted."""
    if shown.id_card is not UNSET and shown.card_no is UNSET and shown.pin is UNSET and shown.login_code is UNSET:
        return "id_card", shown.id_card.number.upper()
    if shown.card_no is not UNSET and shown.pin is not UNSET and shown.id_card is UNSET and shown.login_code is UNSET:
        return "card_pin", shown.card_no
    if shown.login_code is not UNSET and shown.id_card is UNSET and shown.card_no is UNSET and shown.pin is UNSET:
        return "login_code", shown.login_code.upper()
    advice = "Send id_card, or card_no with pin, or login_code."
    raise Invalid("Show one proof.", errors=[FieldError("/holder", "one_proof", advice)])


async def _look(session: AsyncSession, house: House, shown: Holder) -> _Seen:
    ring = house.ring
    if shown.card_no is not UNSET and shown.pin is not UNSET:
        async with house.doors.claims("auth") as claims:
            tried = await cards.tried(claims, ring, number=shown.card_no, pin=shown.pin)
        return _Seen(tried.citizen_id, tried.right)
    if shown.id_card is not UNSET:
        found = await citizens.find(session, ring, id_number=shown.id_card.number)
        held = found is not None and (await citizens.profile(session, ring, found)).name == shown.id_card.name.strip()
        return _Seen(found, held)
    taken = await spoken.take(session, ring, text=str(shown.login_code), use="counter")
    return _Seen(taken.citizen_id if taken else None, taken is not None)

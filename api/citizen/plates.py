"""`/v1/me/plates`: number plates by which a car park may know a holder who lets it.

A typed plate does nothing until its holder shows a code at the exit while that car leaves: nobody profits by a
stranger's plate, and nobody gets into trouble by it. The car park is told a keyed digest, never the plate.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from api.deps import House
from auth import clients, digestkeys
from auth.consent import ledger
from core import audit, ids
from core.audit import Actor
from core.errors import Conflict, TooMany
from incentives.plates import bound, spelling
from incentives.plates.bound import Plate

_A_DAY = 86_400
_TYPED_A_DAY = 10


class NoPlatesHere(Conflict):
    """The partner knows nobody by a plate, at this perk or at all."""

    code = "no_plates_here"
    title = "This partner takes no plates"


class Bind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plate, for a car park and its perk; written as on the car, blanks and a dot do not matter."""

    partner: Annotated[str, Meta(max_length=64)]
    perk: Annotated[str, Meta(max_length=64)]
    plate: Annotated[str, Meta(min_length=1, max_length=spelling.LONGEST)]


class View(msgspec.Struct, frozen=True):
    """A plate. Until `confirmed_at` the car park knows nothing of it."""

    id: str
    partner: str
    partner_name: str
    perk: str
    plate: str
    typed_at: datetime
    confirmed_at: datetime | None


class Place(msgspec.Struct, frozen=True):
    """A car park that takes plates and that the caller lets know."""

    partner: str
    partner_name: str
    perk: str


class Views(msgspec.Struct, frozen=True):
    """All plates, the oldest first, and where the caller may type one."""

    plates: list[View]
    places: list[Place]


@get("/v1/me/plates", summary="My number plates", tags=["citizen"])
async def see(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """The caller's plates with car parks."""
    found = await bound.of(session, house.ring, citizen_id=caller.id)
    given = [one.purpose for one in await ledger.of(session, citizen_id=caller.id) if one.state == "given"]
    shares = [one.removeprefix("share:").partition("/") for one in given if one.startswith("share:")]
    at = [(partner, perk) for partner, _, perk in shares if perk.startswith(digestkeys.PARKING)]
    keys = await digestkeys.of(session, house.ring, {partner for partner, _ in at}, role="partner")
    names = await clients.names(session, {*keys, *(one.partner for one in found)})
    places = sorted((partner, perk) for partner, perk in at if partner in keys)
    return Views(
        [_show(one, names) for one in found], [Place(partner, names[partner], perk) for partner, perk in places]
    )


@post("/v1/me/plates", summary="Name a plate to a car park", tags=["citizen"])
async def bind(
    data: JSONBody[Bind],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Keep a plate until a code that is shown at the exit confirms it.

    409 `share_missing` without a live consent for this car park and perk, `too_many_plates` above three with one car
    park, `no_plates_here`; 422 for what is no plate.
    """
    if await house.short.count(f"plate|{caller.id}", _A_DAY) > _TYPED_A_DAY:
        raise TooMany("Too many plates within a day.", retry_after=_A_DAY)
    keys = await digestkeys.of(session, house.ring, [data.partner], role="partner")
    if data.partner not in keys or not data.perk.startswith(digestkeys.PARKING):
        raise NoPlatesHere("GET /v1/me/plates lists where a plate can be used.")
    made = await bound.bind(
        session, house.ring, citizen_id=caller.id, partner=data.partner, perk=data.perk, text=data.plate,
        key=keys[data.partner],
    )  # fmt: skip
    await _note(session, caller, "plate.bind", data.perk)
    return _show(made, await clients.names(session, [data.partner]))


@delete("/v1/me/plates/{plate_id:str}", status_code=204, summary="Take a plate back", tags=["citizen"])
async def unbind(
    plate_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> None:
    """The car park's pair is over at its next fetch, and at every check by a code nothing changes."""
    await bound.unbind(session, citizen_id=caller.id, plate_id=ids.read("pl", plate_id))
    await _note(session, caller, "plate.unbind", "parking")


async def _note(session: AsyncSession, caller: guards.Citizen, action: str, purpose: str) -> None:
    await audit.write(
        session, actor=Actor("citizen", "self"), action=action, purpose=purpose, outcome="done", owner=caller.id
    )


def _show(one: Plate, names: dict[str, str]) -> View:
    name = names.get(one.partner, one.partner)
    return View(ids.show("pl", one.id), one.partner, name, one.perk, one.plate, one.typed_at, one.confirmed_at)


handlers = [behind([see, bind, unbind])]

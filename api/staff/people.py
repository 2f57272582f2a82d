"""`POST /v1/staff/people`: a person comes to a counter with an ID card, and needs no telephone and no account.

The card reader read the card, and the clerk compared the face; that is a real name proved, by a person instead of a
provider. 18 and over.
"""

from typing import Literal

import msgspec
from litestar import Response, Router, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import House
from api.staff import holder, limits
from api.staff.clerks import ClerkNo
from api.staff.counter import SCOPE
from api.staff.holder import CardNo, IdCard, Pin, Visit
from auth import citizens, realname
from auth.consent import terms
from auth.counter import cards
from core import clock, idnumber, sealed

PROVIDER = "counter"


class CityCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A city card in the reader, and the PIN that the citizen typed."""

    card_no: CardNo
    pin: Pin


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who came: `face_compared` is the clerk's word; `card` binds a city card, from anybody else too."""

    clerk: ClerkNo
    id_card: IdCard
    face_compared: Literal[True]
    card: CityCard | UnsetType = UNSET


class Known(msgspec.Struct, frozen=True):
    """The person is known now; `card_ending` are the last digits of the card that was bound."""

    created: bool
    card_ending: str | None


@post("", summary="Know a person by their ID card", tags=["staff"])
async def arrive(
    data: JSONBody[Person],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Response[Known]:
    """201 for somebody new, 200 for somebody who was known; no login is made. 403 `minor` under 18."""
    shown = sealed.digest(house.ring.derive("counter-arrival"), data.id_card.number.upper())
    await limits.spend(house.short, office=caller.client_id, clerk=data.clerk, shown=shown)
    if (born := idnumber.check(data.id_card.number)) is not None:
        terms.must_be_adult(born)
    known = await citizens.find(session, house.ring, id_number=data.id_card.number)
    proved = realname.Proved(PROVIDER, shown.hex(), data.id_card.name, data.id_card.number, clock.wall())
    citizen_id = await citizens.arrive(session, house.ring, proved=proved)
    bound = None
    if data.card is not UNSET:
        bound = await cards.bind(
            session, house.ring, citizen_id=citizen_id, number=data.card.card_no, pin=data.card.pin, seen=True
        )
    visit = Visit(caller, data.clerk, "card" if bound else "identity", "counter.arrive")
    await holder.note(session, visit, outcome="done", owner=citizen_id, by="id_card")
    return Response(Known(known is None, bound.ending if bound else None), status_code=200 if known else 201)


handlers = [
    Router(
        path="/v1/staff/people",
        route_handlers=[arrive],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("auth")), "caller": Provide(guards.provide_client)},
    )
]

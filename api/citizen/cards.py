"""`/v1/me/cards` and `/v1/me/counter-code`: how a citizen will be known at a counter.

A card that somebody typed is bound only while it is nobody's; at a counter, where the reader holds it, it moves.
"""

from datetime import datetime

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from api.deps import House
from api.identity import stepup
from api.staff.holder import CardNo, Pin
from auth.counter import cards, spoken
from auth.counter.cards import Card, Issuer
from core import audit, ids
from core.audit import Actor
from core.errors import TooMany

_A_DAY = 86_400
_BINDINGS_A_DAY = 10


class Bind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A city card's number and the PIN to have: six digits. `replaces`: the card of the caller's that it follows."""

    card_no: CardNo
    pin: Pin
    replaces: str | None = None


class View(msgspec.Struct, frozen=True):
    """A bound card; `ending` are its last four digits. A lost one opens nothing.

    `known_to`: operators whose gates' lists have a place for it; whether they let it through is the caller's consent.
    """

    id: str
    ending: str
    bound_at: datetime
    lost_at: datetime | None
    known_to: list[Issuer]


class Views(msgspec.Struct, frozen=True):
    """All cards, the oldest first."""

    cards: list[View]


class Code(msgspec.Struct, frozen=True):
    """Say `code` to the clerk, once, before `expires_at`."""

    code: str
    expires_at: datetime


@get("/v1/me/cards", summary="My city cards", tags=["citizen"])
async def see(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """The caller's bound cards."""
    return Views([_show(one) for one in await cards.of(session, house.ring, citizen_id=caller.id)])


@post("/v1/me/cards", summary="Bind a city card with a PIN", tags=["citizen"])
async def bind(
    data: JSONBody[Bind],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Bind a card, for counters; needs a fresh proof of who one is. 409 `card_not_bound` for somebody else's."""
    stepup.must_be_fresh(caller)
    if await house.short.count(f"bind|{caller.id}", _A_DAY) > _BINDINGS_A_DAY:
        raise TooMany("Too many cards within a day.", retry_after=_A_DAY)
    seen = caller.actor is not None
    followed = None if data.replaces is None else ids.read("cd", data.replaces)
    bound = await cards.bind(
        session, house.ring, citizen_id=caller.id, number=data.card_no, pin=data.pin, seen=seen, replaces=followed
    )
    await _note(session, caller, "card.bind")
    return _show(bound)


@post("/v1/me/cards/{card_id:str}/lost", status_code=204, summary="Report a city card lost", tags=["citizen"])
async def lose(
    card_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> None:
    """The card opens no counter, and gates stop it at their next fetch. Binding it again, once found, undoes that."""
    await cards.lose(session, citizen_id=caller.id, card_id=ids.read("cd", card_id))
    await _note(session, caller, "card.lose")


@delete("/v1/me/cards/{card_id:str}", status_code=204, summary="Unbind a city card", tags=["citizen"])
async def unbind(
    card_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> None:
    """The card opens nothing any more; consents stay as they are."""
    await cards.unbind(session, citizen_id=caller.id, card_id=ids.read("cd", card_id))
    await _note(session, caller, "card.unbind")


@post("/v1/me/counter-code", summary="Draw a code for a counter", tags=["citizen"])
async def draw(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Code:
    """A code that lets a clerk help the caller for a quarter of an hour; good once, for ten minutes."""
    drawn = await spoken.draw(session, house.ring, citizen_id=caller.id, use="counter")
    await _note(session, caller, "counter_code.draw")
    return Code(drawn.text, drawn.expires_at)


async def _note(session: AsyncSession, caller: guards.Citizen, action: str) -> None:
    await audit.write(
        session, actor=Actor("citizen", "self"), action=action, purpose="counter", outcome="done", owner=caller.id
    )


def _show(one: Card) -> View:
    return View(ids.show("cd", one.id), one.ending, one.bound_at, one.lost_at, list(one.issuers))


handlers = [behind([see, bind, lose, unbind, draw], door="auth")]

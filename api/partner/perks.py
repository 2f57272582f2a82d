"""`GET /v1/partner/perks`: the caller's perks in force, with the terms that everybody reads, at their places, too."""

from datetime import date
from typing import Literal

import msgspec
from litestar import get

from api import guards
from api.deps import HttpRequest
from api.partner import desk
from core import clock
from incentives import rulebook
from incentives.book.perks import Perk
from incentives.book.places import Place
from incentives.rulebook import Terms


class There(msgspec.Struct, frozen=True):
    """Other terms at some of the caller's terminals (none: at all), from `from_on` until `until_on`, both included.

    A programme's terms go before a zone's; the threshold is the same everywhere.
    """

    place: str
    sort: Literal["zone", "programme"]
    terms: Terms
    terminals: tuple[str, ...]
    from_on: date | None
    until_on: date | None


class Offered(msgspec.Struct, frozen=True):
    """A perk that the caller may ask about; no `terminals` means any. `closed`, or out of its days: `perk_closed`.

    `places`: where and when other terms hold for the caller, now or yet to come.
    """

    perk: str
    terms: Terms
    places: tuple[There, ...]
    closed: bool
    terminals: tuple[str, ...]
    release: str


class Perks(msgspec.Struct, frozen=True):
    """The caller's perks by id."""

    perks: list[Offered]


@get(
    "/v1/partner/perks",
    guards=[guards.client("partner", "eligibility:check")],
    summary="The caller's perks and their terms",
    tags=["partner"],
)
async def see(request: HttpRequest) -> Perks:
    """What the caller may ask about today."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    found = [one for one in await here.gate.perks(token=caller.jti_hash) if one.newest]
    today = clock.today()
    return Perks(
        [
            Offered(
                perk.id, rulebook.terms(perk), places_of(perk, caller.client_id, today), perk.rests(today),
                perk.terminals, perk.digest,
            )
            for one in found
            for perk in rulebook.read(one.body, one.name)
            if perk.id == one.perk_id
        ]
    )  # fmt: skip


async def english(request: HttpRequest) -> dict[str, str]:
    """The rule book's English of the caller's perks by their names, for the console."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    found = [one for one in await here.gate.perks(token=caller.jti_hash) if one.newest]
    return {perk.name: perk.english for one in found for perk in rulebook.read(one.body, one.name)}


def places_of(perk: Perk, partner: str, today: date) -> tuple[There, ...]:
    """The places with terms of their own that are this partner's as well, and not over."""
    return tuple(
        _there(perk, one)
        for one in perk.places
        if one.differs() and (not one.partners or partner in one.partners) and today <= (one.until_on or today)
    )


def _there(perk: Perk, place: Place) -> There:
    sort = "zone" if place.zone else "programme"
    return There(place.id, sort, rulebook.terms(perk, place), place.terminals, place.from_on, place.until_on)


handlers = [see]

"""`GET /v1/me/perks`: each perk in force: granted, or what is missing; its terms; how to use it; what is left of it."""

from datetime import date

import msgspec
from litestar import get
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from api.deps import House
from core import clock
from incentives import allotments, grants, rulebook
from incentives.allotments import Left
from incentives.book.kinds import FIELDS, KINDS
from incentives.book.perks import Measure, Perk, price
from incentives.book.places import Place
from incentives.grants import Missing
from incentives.rulebook import Terms

HOW = "在柜台出示一次性信用码，60秒内有效，只能用一次。"


class Listed(msgspec.Struct, frozen=True):
    """A listed price in fen: what a stranger pays, and what a holder pays."""

    item: str
    stranger: int
    granted: int


class There(msgspec.Struct, frozen=True):
    """A zone or programme with terms of its own that is on today, or yet to come; the threshold is the same."""

    name: str
    from_on: date | None
    until_on: date | None
    terms: Terms
    prices: tuple[Listed, ...]


class Mine(msgspec.Struct, frozen=True):
    """One perk as the caller sees it: `threshold` in points; `missing`, for the caller alone, says why not granted.

    `measures`: what a stranger and what a holder has; `left`: of the caller's own budgets; `how_to_use`: how, or the
    standard route while it is not granted.
    """

    perk: str
    kind: str
    kind_name: str
    field: str | None
    granted: bool
    threshold: float
    terms: Terms
    missing: Missing | None
    how_to_use: str
    measures: tuple[Measure, ...]
    prices: tuple[Listed, ...]
    places: tuple[There, ...]
    left: tuple[Left, ...]


class Perks(msgspec.Struct, frozen=True):
    """Every perk in force, by id."""

    perks: list[Mine]


@get("/v1/me/perks", summary="Perks: granted, or what is missing", tags=["citizen"])
async def see(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Perks:
    """What the caller may have today."""
    today = clock.today()
    offered = [one.perk for one in await rulebook.in_force(session, on=today)]
    lacks = await grants.missing(session, house.ring, citizen_id=caller.id, perks=offered, as_of=today)
    left = await allotments.left(session)
    return Perks([_show(perk, lacks[perk.id], left.get(perk.id, ()), today) for perk in offered])


def _show(perk: Perk, lack: Missing | None, left: tuple[Left, ...], today: date) -> Mine:
    return Mine(
        perk=perk.id,
        kind=perk.kind,
        kind_name=KINDS[perk.kind].name,
        field=FIELDS[perk.field] if perk.field else None,
        granted=lack is None,
        threshold=round(perk.threshold / 10, 1),
        terms=rulebook.terms(perk),
        missing=lack,
        how_to_use=(perk.how_to_use or HOW) if lack is None else perk.standard_route,
        measures=perk.measures,
        prices=_prices(perk),
        places=tuple(_there(perk, one) for one in perk.places if one.differs() and today <= (one.until_on or today)),
        left=left,
    )


def _there(perk: Perk, place: Place) -> There:
    return There(place.name, place.from_on, place.until_on, rulebook.terms(perk, place), _prices(perk, place))


def _prices(perk: Perk, place: Place | None = None) -> tuple[Listed, ...]:
    return tuple(Listed(one.item, one.stranger, price(perk, one.stranger, place)) for one in perk.prices)


handlers = [behind([see])]

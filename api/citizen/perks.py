"""`GET /v1/me/perks`: each perk in force: granted, or what is missing; its terms; how to use it."""

import msgspec
from litestar import get
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from api.deps import House
from core import clock
from incentives import grants, rulebook
from incentives.book.perks import Perk
from incentives.grants import Missing
from incentives.rulebook import Terms


class Mine(msgspec.Struct, frozen=True):
    """One perk as the caller sees it: `threshold` in points; `missing`, for the caller alone, says why not granted."""

    perk: str
    granted: bool
    threshold: float
    terms: Terms
    missing: Missing | None
    how_to_use: str


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
    return Perks([_show(perk, lacks[perk.id]) for perk in offered])


def _show(perk: Perk, lack: Missing | None) -> Mine:
    how = "在柜台出示一次性信用码：POST /v1/me/credit-code，60秒内有效，只能用一次。"
    return Mine(
        perk=perk.id,
        granted=lack is None,
        threshold=round(perk.threshold / 10, 1),
        terms=rulebook.terms(perk),
        missing=lack,
        how_to_use=how if lack is None else perk.standard_route,
    )


handlers = [behind([see])]

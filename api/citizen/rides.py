"""`GET /v1/me/rides`: what came off the caller's rides, by day. Where and when within the day is not kept."""

from datetime import date
from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from auth import clients
from core.errors import FieldError, Invalid
from incentives.rides import days
from incentives.rides.days import Place, Ridden

_PAGE = 200


class Ride(Ridden, frozen=True, kw_only=True):
    """A day with a partner and a perk. `doubled`: rides by a code that a gate without a line had taken before.

    That is for the operator to bear: it costs the caller nothing and counts for nothing.
    """

    partner_name: str


class Rides(msgspec.Struct, frozen=True):
    """Days, newest first, of the last 180; `next_cursor` is null on the last page."""

    rides: list[Ride]
    next_cursor: str | None


@get("/v1/me/rides", summary="What came off my rides", tags=["citizen"])
async def mine(
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Citizen],
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE)] = _PAGE,
    cursor: FromQuery[str | None] = None,
) -> Rides:
    """Rides, discounts in fen, and codes that were taken twice, summed up by day, partner and perk."""
    found = await days.mine(session, citizen_id=caller.id, before=_place(cursor), most=limit + 1)
    names = await clients.names(session, {one.partner for one in found})
    shown = [Ride(**msgspec.structs.asdict(one), partner_name=names.get(one.partner, one.partner)) for one in found]
    last = shown[limit - 1] if len(shown) > limit else None
    return Rides(shown[:limit], last and f"{last.day}:{last.partner}:{last.perk}")


def _place(cursor: str | None) -> Place | None:
    """The day, partner and perk of a cursor. Raises Invalid."""
    if cursor is None:
        return None
    day, _, rest = cursor.partition(":")
    partner, _, perk = rest.partition(":")
    try:
        return date.fromisoformat(day), partner, perk
    except ValueError as error:
        advice = "Send the cursor of the page before, or nothing to begin anew."
        raise Invalid(errors=[FieldError("/cursor", "bad_cursor", advice)]) from error


handlers = [behind([mine])]

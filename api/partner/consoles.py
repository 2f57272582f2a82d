"""`/v1/partner/consoles`: browsers of the partner's own people; what they show is `api.console`.

A console is made with a link that opens it once, within an hour, in whatever browser follows it. The secret stands
behind `#` in the link, which no browser sends and no log holds. From then on that browser may do what this token may,
for some hours, until half an hour goes by without a click, or until it is taken back.
"""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import House, HttpRequest
from auth import seats
from auth.seats import Listed
from core import clock, ids

_LINK = timedelta(hours=1)
_MOST_HOURS = 8


class Make(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A console. `name` says whose browser it is to be, in the partner's own words: it stands on the page."""

    name: Annotated[str, Meta(min_length=1, max_length=40)]
    hours: Annotated[int, Meta(ge=1, le=_MOST_HOURS)] = _MOST_HOURS


class Made(msgspec.Struct, frozen=True):
    """A console that waits: hand `link` to the person; it works once, until `link_expires_at`."""

    console_id: str
    link: str
    link_expires_at: datetime
    scopes: list[str]


class Shown(msgspec.Struct, frozen=True):
    """A console that has not ended. `state`: `waiting` for its browser, `open`, or `missed` (the link ran out)."""

    console_id: str
    name: str
    state: str
    scopes: list[str]
    opened_at: datetime | None
    used_at: datetime | None
    ends_at: datetime


class Consoles(msgspec.Struct, frozen=True):
    """The caller's consoles, newest first."""

    consoles: list[Shown]


@post(
    "",
    responses={201: ResponseSpec(Made, description="Made; the link is told once", generate_examples=False)},
    summary="Open the console to a person of the partner's",
    tags=["partner"],
)
async def make(
    data: JSONBody[Make],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Made:
    """Make a console with the scopes of this token, and its link. 409 `too_many_consoles` at twenty."""
    life = timedelta(hours=data.hours)
    one = await seats.offer(
        session, client_id=caller.client_id, name=data.name, scopes=caller.scopes, life=life, link_life=_LINK
    )
    link = f"{house.settings.base_url}/console#{one.secret}"
    return Made(ids.show("se", one.id), link, one.link_until, sorted(caller.scopes))


@get("", summary="The caller's consoles", tags=["partner"])
async def see(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Client]) -> Consoles:
    """Those that have not ended."""
    return Consoles([_shown(one) for one in await seats.of(session, client_id=caller.client_id)])


@delete("/{console_id:str}", status_code=204, summary="End a console at once", tags=["partner"])
async def end(
    console_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Client]
) -> None:
    """Its browser can do nothing from the next request on; 404 for what is not the caller's, or has ended."""
    await seats.end(session, seat_id=ids.read("se", console_id), client_id=caller.client_id)


def _shown(one: Listed) -> Shown:
    late = one.link_until is not None and one.link_until <= clock.wall()
    state = "open" if one.opened_at is not None else "missed" if late else "waiting"
    return Shown(ids.show("se", one.id), one.name, state, one.scopes, one.opened_at, one.used_at, one.ends_at)


async def of(request: HttpRequest, caller: guards.Client) -> list[Shown]:
    """The consoles of a client, for its own console's page."""
    async with deps.house(request).doors.claims("auth") as session:
        return [_shown(one) for one in await seats.of(session, client_id=caller.client_id)]


handlers = [
    Router(
        path="/v1/partner/consoles",
        route_handlers=[make, see, end],
        guards=[guards.client("partner", "eligibility:check")],
        dependencies={"session": Provide(deps.work("auth")), "caller": Provide(guards.provide_client)},
    )
]

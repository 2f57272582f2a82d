"""`/v1/staff/partners/{client_id}/counters`: counters of shops that have nobody who could make one by themselves.

The office makes, lists and ends them on the partner's behalf, by the partner's own functions: they count among the
partner's fifty, the partner sees and ends them, and each act leaves an entry with the office's name. The link is told
once, in the answer; whoever hands it over is the office. Scope `staff:clients`.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import HttpRequest
from api.partner import counters, desk
from api.partner.counters import Counters, Made, Make
from api.partner.desk import Desk
from api.staff.clients import SCOPE
from auth import clients, tokens
from core import audit
from core.audit import Actor
from core.errors import NotFound
from incentives.eligibility import TokenDead

_NEEDED = "eligibility:check"


class Behalf(msgspec.Struct, frozen=True):
    """Whom the office acts for: the partner's desk, perks, and a token that ends with the act."""

    here: Desk
    perks: frozenset[str]
    token: bytes


@post(
    "",
    responses={201: ResponseSpec(Made, description="Made; the link is told once", generate_examples=False)},
    summary="Make a counter for a partner",
    tags=["staff"],
)
async def make(
    client_id: FromPath[str],
    data: JSONBody[Make],
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
) -> Made:
    """As `POST /v1/partner/counters`; 404 for who is no live partner that may ask, 409 `too_many_counters`."""
    async with _behalf(request, client_id) as who:
        made = await counters.made(who.here, data, perks=who.perks, token=who.token)
    await _note(session, caller, "shopcounter.make", client_id, made.counter_id)
    return made


@get("", summary="A partner's counters", tags=["staff"])
async def see(client_id: FromPath[str], request: HttpRequest) -> Counters:
    """Those that have not ended; no link and no telephone."""
    async with _behalf(request, client_id) as who:
        return await counters.seen(who.here, token=who.token)


@delete("/{counter_id:str}", status_code=204, summary="End a partner's counter at once", tags=["staff"])
async def end(
    client_id: FromPath[str],
    counter_id: FromPath[str],
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
) -> None:
    """Its telephone can do nothing from the next request on."""
    async with _behalf(request, client_id) as who:
        await counters.ended(who.here, counter_id, token=who.token)
    await _note(session, caller, "shopcounter.end", client_id, counter_id)


@asynccontextmanager
async def _behalf(request: HttpRequest, client_id: str) -> AsyncGenerator[Behalf]:
    """For a live partner that may ask. Raises NotFound."""
    doors = deps.house(request).doors
    async with doors.work("auth") as session:
        found = await clients.get(session, client_id)
    if found is None or found.role != "partner" or _NEEDED not in found.scopes:
        raise NotFound
    async with tokens.standing_in(doors, client_id=client_id, scope=_NEEDED) as token:
        try:
            yield Behalf(await desk.of(request), frozenset(found.perks), token)
        except TokenDead as dead:  # disabled: no token of theirs lives
            raise NotFound from dead


async def _note(session: AsyncSession, caller: guards.Client, action: str, client_id: str, counter_id: str) -> None:
    await audit.write(
        session, actor=Actor("staff", caller.client_id), action=action, purpose="registration", outcome="done",
        detail={"client": client_id, "counter": counter_id},
    )  # fmt: skip


handlers = [
    Router(
        path="/v1/staff/partners/{client_id:str}/counters",
        route_handlers=[make, see, end],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]

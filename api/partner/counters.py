"""`/v1/partner/counters`: telephones for shops that have no system; what they show is `api.pages.counter`.

A counter is made with a link that opens it once, within an hour, on whatever telephone follows it. The secret stands
behind `#` in the link, which no browser sends and no log holds. From then on that telephone asks about this perk at
this terminal, and nothing else, until the counter ends or is taken back.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType

from api import guards
from api.deps import HttpRequest
from api.partner import desk
from api.partner.desk import Desk
from core import clock, ids
from core.errors import NotFound
from incentives import counters
from incentives.counters import Listed, Plan
from incentives.eligibility import TokenDead
from incentives.rulebook import PerkNotOffered

_MINUTES = 60
_DAYS = 90
_GUARD = guards.client("partner", "eligibility:check")


class Make(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A counter. `name` stands on its page; `deposit`, in fen, is what a stranger leaves there, if anything."""

    perk: Annotated[str, Meta(max_length=64)]
    name: Annotated[str, Meta(min_length=1, max_length=40)]
    terminal: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    deposit: Annotated[int, Meta(ge=0, le=100_000_000)] | UnsetType = UNSET
    days: Annotated[int, Meta(ge=1, le=365)] = _DAYS


class Made(msgspec.Struct, frozen=True):
    """A counter that waits: send `link` to its telephone; it works once, until `link_expires_at`."""

    counter_id: str
    link: str
    link_expires_at: datetime
    ends_at: datetime


class Shown(msgspec.Struct, frozen=True):
    """A counter that has not ended. `state`: `waiting` for its telephone, `open`, or `missed` (the link ran out)."""

    counter_id: str
    perk: str
    name: str
    terminal: str | None
    deposit: int | None
    state: str
    opened_at: datetime | None
    ends_at: datetime


class Counters(msgspec.Struct, frozen=True):
    """The caller's counters, newest first."""

    counters: list[Shown]


@post(
    "/v1/partner/counters",
    guards=[_GUARD],
    responses={201: ResponseSpec(Made, description="Made; the link is told once", generate_examples=False)},
    summary="Make a counter for a shop without a system",
    tags=["partner"],
)
async def make(data: JSONBody[Make], request: HttpRequest) -> Made:
    """Make a counter and its link. 404 `perk_unknown`, 409 `too_many_counters` at fifty."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    try:
        return await made(here, data, perks=caller.perks, token=caller.jti_hash)
    except TokenDead as dead:
        raise guards.invalid_token() from dead


async def made(here: Desk, data: Make, *, perks: Collection[str], token: bytes) -> Made:
    """A counter of the partner of `token`, who holds `perks`. Raises PerkNotOffered, TokenDead, TooManyCounters."""
    if data.perk not in perks:
        raise PerkNotOffered("GET /v1/partner/perks lists the partner's.")
    terminal = None if data.terminal is UNSET else data.terminal
    deposit = None if data.deposit is UNSET else data.deposit
    plan = Plan(data.perk, data.name, terminal, deposit, data.days)
    one = await counters.make(here.gate, plan, token=token, link_minutes=_MINUTES)
    return Made(ids.show("ct", one.id), f"{here.issuer}/counter#{one.secret}", one.link_until, one.ends_at)


@get("/v1/partner/counters", guards=[_GUARD], summary="The caller's counters", tags=["partner"])
async def see(request: HttpRequest) -> Counters:
    """Those that have not ended."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    try:
        return await seen(here, token=caller.jti_hash)
    except TokenDead as dead:
        raise guards.invalid_token() from dead


async def seen(here: Desk, *, token: bytes) -> Counters:
    """Those of the partner of `token` that have not ended. Raises TokenDead."""
    return Counters([_shown(one) for one in await counters.mine(here.gate, token=token)])


@delete(
    "/v1/partner/counters/{counter_id:str}",
    status_code=204,
    guards=[_GUARD],
    summary="End a counter at once",
    tags=["partner"],
)
async def end(counter_id: FromPath[str], request: HttpRequest) -> None:
    """Its telephone can do nothing from the next request on; 404 for what is not the caller's, or has ended."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    await ended(here, counter_id, token=caller.jti_hash)


async def ended(here: Desk, counter_id: str, *, token: bytes) -> None:
    """End one of the partner of `token`. Raises NotFound."""
    if not await counters.end(here.gate, token=token, counter_id=ids.read("ct", counter_id)):
        raise NotFound


def _shown(one: Listed) -> Shown:
    late = one.link_until <= clock.wall()
    state = "open" if one.opened_at is not None else "missed" if late else "waiting"
    return Shown(
        ids.show("ct", one.id), one.perk_id, one.name, one.terminal, one.deposit, state, one.opened_at, one.ends_at
    )


handlers = [make, see, end]

"""`/v1/staff/clerks`: who of an office may sit at the desk (`api.desk`). Scope `staff:clerks`.

An office names its own clerks, with no scope that it has not itself, and hands each the link. Whoever opens it logs in
at the city's identity provider, and from then on that account is this clerk; one account is one clerk, in the whole
city, so that two clerks are two persons.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import House
from api.proofs import insufficient_scope
from api.staff.clerks import ClerkNo
from auth import clerks, clients
from auth.clerks import Clerk
from core import audit, ids
from core.audit import Actor

SCOPE = "staff:clerks"


class Name(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person of the office; `scopes`: what they may do at the desk."""

    clerk: ClerkNo
    scopes: Annotated[list[str], Meta(min_length=1, max_length=20)]


class Made(msgspec.Struct, frozen=True):
    """A clerk who has yet to log in: hand `link` over; it works once, until `link_expires_at`."""

    id: str
    clerk: str
    link: str
    link_expires_at: datetime


class View(msgspec.Struct, frozen=True):
    """A clerk; `joined_at` is null until they have logged in by the link."""

    id: str
    clerk: str
    scopes: list[str]
    made_at: datetime
    joined_at: datetime | None


class Views(msgspec.Struct, frozen=True):
    """The office's clerks, by number."""

    clerks: list[View]


@post(
    "",
    responses={201: ResponseSpec(Made, description="Named; the link is told once", generate_examples=False)},
    summary="Name a clerk",
    tags=["staff"],
)
async def name(
    data: JSONBody[Name],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Made:
    """403 for a scope that the office has not; 409 `clerk_exists`, `too_many_clerks`."""
    office = await clients.get(session, caller.client_id)
    for scope in data.scopes:
        if office is None or scope not in office.scopes or scope == SCOPE:
            raise insufficient_scope(scope)
    made = await clerks.name(session, client_id=caller.client_id, number=data.clerk, scopes=set(data.scopes))
    await _note(session, caller, "clerk.name", data.clerk, {"scopes": sorted(set(data.scopes))})
    return Made(
        ids.show("ck", made.id), data.clerk, f"{house.settings.base_url}/desk/join#{made.secret}", made.link_until
    )


@get("", summary="The office's clerks", tags=["staff"])
async def see(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Client]) -> Views:
    """Those who have not been ended; no link and no account."""
    return Views([_view(one) for one in await clerks.of(session, client_id=caller.client_id)])


@delete("/{clerk_id:str}", status_code=204, summary="End a clerk at once", tags=["staff"])
async def end(
    clerk_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Client]
) -> None:
    """Out at the next request; their number may be given again."""
    ended = await clerks.end(session, client_id=caller.client_id, clerk_id=ids.read("ck", clerk_id))
    await _note(session, caller, "clerk.end", ended.number, {})


async def _note(
    session: AsyncSession, caller: guards.Client, action: str, number: str, more: dict[str, object]
) -> None:
    actor, detail = Actor("staff", caller.client_id), {"clerk": number, **more}
    await audit.write(session, actor=actor, action=action, purpose="registration", outcome="done", detail=detail)


def _view(one: Clerk) -> View:
    return View(ids.show("ck", one.id), one.number, one.scopes, one.made_at, one.joined_at)


handlers = [
    Router(
        path="/v1/staff/clerks",
        route_handlers=[name, see, end],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("auth")), "caller": Provide(guards.provide_client)},
    )
]

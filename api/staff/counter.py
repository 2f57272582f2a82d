"""`/v1/staff/assisted-sessions`: what a clerk does for a citizen who is present (assisted service).

The answer is a 15-minute access token of scope `me`, bound to the key of the office's own token, with which the
counter calls the `/v1/me` operations that an app calls. Every request through it is shown to the citizen
(`api.behalf`), with the office, the clerk's number and the purpose.
"""

from datetime import datetime
from typing import Literal

import msgspec
from litestar import Router, delete, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import House
from api.proofs import desk
from api.staff import holder
from api.staff.clerks import ClerkNo
from api.staff.holder import Holder, Visit
from auth.counter import assisted
from core import audit, ids
from core.audit import Actor

Purpose = Literal["consent", "withdrawal", "explanation", "records", "complaint", "card", "relative", "leaving"]
SCOPE = "staff:counter"


class Open(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who sits there, why, and what the citizen showed."""

    clerk: ClerkNo
    purpose: Purpose
    holder: Holder


class Opened(msgspec.Struct, frozen=True):
    """Use `access_token` with DPoP proofs by the key of this very request; it ends by itself at `expires_at`."""

    id: str
    access_token: str
    token_type: str
    expires_at: datetime


class Again(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card once more: `id_card`, or `card_no` with `pin`."""

    holder: Holder


class Proved(msgspec.Struct, frozen=True):
    """For so many seconds from now the counter may ask for what is grave."""

    id: str
    seconds: int


@post("", summary="Begin an assisted session", tags=["staff"])
async def begin(
    data: JSONBody[Open],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Opened:
    """Open a session for the citizen who stands there. 403 `holder_not_proved` says nothing about why."""
    visit = Visit(caller, data.clerk, data.purpose, "counter.open")
    found = await holder.prove(session, house, shown=data.holder, visit=visit)
    opened = await assisted.open(
        session,
        desk(house).tokens,
        citizen_id=found.citizen_id,
        client_id=caller.client_id,
        clerk=data.clerk,
        jkt=caller.jkt,
        purpose=data.purpose,
        proved_by=found.by,
    )
    await holder.note(session, visit, outcome="done", owner=found.citizen_id, by=found.by)
    return Opened(ids.show("as", opened.id), opened.access_token, "DPoP", opened.expires_at)


@post("/{session_id:str}/proofs", status_code=200, summary="Read the card once more", tags=["staff"])
async def prove_again(
    session_id: FromPath[str],
    data: JSONBody[Again],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Proved:
    """Prove the same person by a card before something grave: leaving, an export, a relative, another card."""
    one = await assisted.by_id(session, assisted_id=ids.read("as", session_id), client_id=caller.client_id)
    visit = Visit(caller, one.clerk, one.purpose, "counter.prove")
    found = await holder.prove_the_same(session, house, shown=data.holder, visit=visit, citizen_id=one.citizen_id)
    await assisted.prove_again(session, assisted_id=one.id)
    await holder.note(session, visit, outcome="done", owner=one.citizen_id, by=found.by)
    return Proved(session_id, guards.GRAVE_AT_COUNTER)


@delete("/{session_id:str}", status_code=204, summary="End an assisted session", tags=["staff"])
async def end(
    session_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> None:
    """End it now, everywhere; ending it again changes nothing."""
    ended = await assisted.end(session, assisted_id=ids.read("as", session_id), client_id=caller.client_id)
    desk(house).tokens.forget(ended.jti_hash)
    if ended.live:
        await audit.write(
            session,
            actor=Actor("staff", caller.client_id),
            action="counter.end",
            purpose=ended.purpose,
            outcome="done",
            owner=ended.citizen_id,
            detail={"clerk": ended.clerk},
        )


handlers = [
    Router(
        path="/v1/staff/assisted-sessions",
        route_handlers=[begin, prove_again, end],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("auth")), "caller": Provide(guards.provide_client)},
    )
]

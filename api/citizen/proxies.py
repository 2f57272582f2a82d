"""`/v1/me/proxies`: a relative may look, and only look.

A citizen draws an invitation and says it to the relative, who accepts it in their own session; both must have proved
their real names. The relative then reads `/v1/me`, `/score`, `/records`, `/accesses`, `/consents` and `/perks` with the
header `Osmanthus-On-Behalf-Of: px_…` (`api.behalf`), and the citizen sees every such read. Either ends it at once.
"""

from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from api.citizen.me import mask_name
from api.deps import House
from api.identity import stepup
from auth import assurance, citizens
from auth.consent import terms
from auth.counter import proxies, spoken
from auth.counter.proxies import Proxy
from core import audit, ids
from core.audit import Actor
from core.errors import NotFound, TooMany

_HOUR = 3600
_TRIES = 10


class Invite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until which day the relative may look: twelve months at most."""

    until: date


class Invitation(msgspec.Struct, frozen=True):
    """Say `code` to the relative, once, before `expires_at`; they may look until `until`."""

    code: str
    expires_at: datetime
    until: date


class Accept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code that the relative said. Accepting shows the relative your masked name."""

    code: Annotated[str, Meta(min_length=8, max_length=16)]


class View(msgspec.Struct, frozen=True):
    """A proxy as one of the two sees it: `role` is yours, `person` the other one's masked name."""

    id: str
    role: str
    person: str
    basis: str
    since: datetime
    until: date


class Views(msgspec.Struct, frozen=True):
    """Who may look at what is yours (`role` owner), and whom you may look for (`role` proxy)."""

    proxies: list[View]


@post("/v1/me/proxies/invitations", summary="Invite a relative to look", tags=["citizen"])
async def invite(
    data: JSONBody[Invite],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Invitation:
    """Draw a one-time code, good for ten minutes; needs a fresh proof of who one is."""
    stepup.must_be_fresh(caller)
    terms.expiry(data.until)
    drawn = await spoken.draw(session, house.ring, citizen_id=caller.id, use="proxy", until_on=data.until)
    await _note(session, caller, "proxy.invite")
    return Invitation(drawn.text, drawn.expires_at, data.until)


@post("/v1/me/proxies/accept", summary="Accept a relative's invitation", tags=["citizen"])
async def accept(
    data: JSONBody[Accept],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Become a proxy. 404 for a code that is unknown, used or over, all alike."""
    if caller.acr < assurance.REAL_NAME:
        stepup.must_be_fresh(caller)
    if await house.short.count(f"proxy|{caller.id}", _HOUR) > _TRIES:
        raise TooMany("Too many codes within an hour.", retry_after=_HOUR)
    taken = await spoken.take(session, house.ring, text=data.code, use="proxy")
    if taken is None or taken.until_on is None:
        raise NotFound("No such invitation lives: ask for a new one.")
    made = await proxies.begin(
        session, citizen_id=taken.citizen_id, proxy_id=caller.id, basis="invited", until_on=taken.until_on
    )
    await audit.write(
        session,
        actor=Actor("proxy", ids.show("px", made.id)),
        action="proxy.accept",
        purpose="relative",
        outcome="done",
        owner=made.citizen_id,
    )
    return await _show(session, house, made, caller)


@get("/v1/me/proxies", summary="Who may look for me, and for whom I may", tags=["citizen"])
async def see(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """All live proxies of the caller, given and held."""
    return Views([await _show(session, house, one, caller) for one in await proxies.of(session, citizen_id=caller.id)])


@delete("/v1/me/proxies/{proxy_id:str}", status_code=204, summary="End a proxy", tags=["citizen"])
async def end(
    proxy_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> None:
    """Nobody looks with it any more, from the next request on."""
    ended = await proxies.end(session, proxy_id=ids.read("px", proxy_id), by=caller.id)
    mine = ended.citizen_id == caller.id
    await audit.write(
        session,
        actor=Actor("citizen", "self") if mine else Actor("proxy", proxy_id),
        action="proxy.end",
        purpose="relative",
        outcome="done",
        owner=ended.citizen_id,
    )


async def _show(session: AsyncSession, house: House, one: Proxy, caller: guards.Citizen) -> View:
    mine = one.citizen_id == caller.id
    other = await citizens.profile(session, house.ring, one.proxy_id if mine else one.citizen_id)
    return View(
        id=ids.show("px", one.id),
        role="owner" if mine else "proxy",
        person=mask_name(other.name),
        basis=one.basis,
        since=one.begun_at,
        until=terms.last_day(one.expires_at),
    )


async def _note(session: AsyncSession, caller: guards.Citizen, action: str) -> None:
    await audit.write(
        session, actor=Actor("citizen", "self"), action=action, purpose="relative", outcome="done", owner=caller.id
    )


handlers = [behind([invite, accept, see, end], door="auth")]

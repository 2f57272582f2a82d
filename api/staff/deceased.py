"""`/v1/staff/deceased`: a death, recorded by one person of an office and approved by another (PIPL article 49).

With the approval every consent ends and what stood on it is erased; sessions, tokens, cards and proxies of the deceased
end. A close relative who came with their own ID card and the papers may then look at what remains, for 90 days, as any
proxy does (`api.citizen.proxies`), and may once ask that nothing remain, unless the deceased said that nobody shall.
Each step is shown to whoever may look.
"""

import uuid
from datetime import date
from typing import Annotated, Literal

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.citizen import agreement, leaving
from api.citizen.leaving import Left
from api.deps import House
from api.proofs import desk
from api.staff import holder, limits
from api.staff.clerks import ClerkNo, person
from api.staff.counter import SCOPE
from api.staff.holder import Holder, IdCard, Number, Visit
from auth import assurance, citizens, refresh, sessions, tokens
from auth.consent import ledger
from auth.consent.events import Act
from auth.counter import assisted, cards, deaths, proxies, spoken
from auth.counter.deaths import Death
from core import clock, ids, sealed
from core.errors import FieldError, Invalid, NotFound

Paper = Annotated[str, Meta(min_length=4, max_length=64)]


class Relative(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A close relative who stands there; `document` proves the relation, and the interest is their own and lawful."""

    id_card: IdCard
    relation: Literal["spouse", "child", "parent", "sibling", "grandparent", "grandchild"]
    document: Paper
    lawful_interest: Literal[True]


class Deceased(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who died when, by which document; `relative` shall look."""

    clerk: ClerkNo
    id_number: Number
    died_on: date
    document: Paper
    relative: Relative | UnsetType = UNSET


class Approve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The second person of the office."""

    clerk: ClerkNo


class Erase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The relative stands there once more and asks that nothing remain."""

    clerk: ClerkNo
    holder: Holder


class View(msgspec.Struct, frozen=True):
    """A recorded death. `state`: recorded or approved. `relative`: may_look, refused_by_wish, or null."""

    id: str
    state: str
    relative: str | None


@post("", summary="Record a death", tags=["staff"])
async def record(
    data: JSONBody[Deceased],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> View:
    """Record it for approval; nothing ends yet. 404 for a person who is not here."""
    shown = sealed.digest(house.ring.derive("counter-limits"), f"deceased|{data.id_number.upper()}")
    await limits.spend(house.short, office=caller.client_id, clerk=data.clerk, shown=shown)
    gone = await citizens.find(session, house.ring, id_number=data.id_number)
    if gone is None:
        await limits.wrong(house.short, office=caller.client_id, clerk=data.clerk)
        raise NotFound("Nobody of this number takes part: there is nothing to end.")
    if data.died_on > clock.today():
        raise Invalid(errors=[FieldError("/died_on", "future", "A day that has come.")])
    relative = None if data.relative is UNSET else await _relative(session, house, data.relative)
    made = await deaths.record(
        session,
        house.ring,
        citizen_id=gone,
        papers=msgspec.json.encode(data),
        relative_id=relative,
        relation=None if data.relative is UNSET else data.relative.relation,
        client_id=caller.client_id,
        by=person(caller, data.clerk),
    )
    visit = Visit(caller, data.clerk, "relative", "death.record")
    await holder.note(session, visit, outcome="done", owner=gone, by="document")
    return View(ids.show("dd", made.id), "recorded", None)


@post("/{death_id:str}/approve", status_code=200, summary="Approve a recorded death", tags=["staff"])
async def approve(
    death_id: FromPath[str],
    data: JSONBody[Approve],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> View:
    """End what ends with a death. 409 `second_person_needed`. Cut off in the middle, repeating it goes on."""
    by = person(caller, data.clerk)
    async with house.doors.work("auth") as session:
        one = await deaths.approve(session, death_id=ids.read("dd", death_id), client_id=caller.client_id, by=by)
        proof = await _stand_in(session, house, caller, one, by)
    if not one.done:
        await _end_consents(house, one, proof, Act(f"staff:{by}", "counter", evidence={"cause": "death"}))
    async with house.doors.work("auth") as session:
        await tokens.revoke(session, client_id=caller.client_id, jti_hash=proof)
        looks = await _close(session, one)
        if not one.done:
            visit = Visit(caller, data.clerk, "relative", "death.approve")
            await holder.note(session, visit, outcome="done", owner=one.citizen_id, by="document")
        await deaths.done(session, death_id=one.id)
    return View(death_id, "approved", looks)


@post("/{death_id:str}/erasure", status_code=200, summary="Erase at a relative's wish", tags=["staff"])
async def erase(
    death_id: FromPath[str],
    data: JSONBody[Erase],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Left:
    """Destroy what remains of the deceased, once, for the relative of the approval, who shows a card of their own.

    404 where no relative may act (any more). The answer is the erasure certificate, which can be fetched again.
    """
    async with house.doors.work("auth") as session:
        one = await deaths.relative(session, death_id=ids.read("dd", death_id), client_id=caller.client_id)
        visit = Visit(caller, data.clerk, "relative", "death.erase")
        if one.relative_id is None:
            raise NotFound
        shown = await holder.prove_the_same(session, house, shown=data.holder, visit=visit, citizen_id=one.relative_id)
        await holder.note(session, visit, outcome="done", owner=one.citizen_id, by=shown.by)
        proof = await _stand_in(session, house, caller, one, person(caller, data.clerk))
    async with house.doors.work("citizen", proof=proof) as session:
        return await leaving.go(session, house, citizen_id=one.citizen_id, proof=proof)


async def _relative(session: AsyncSession, house: House, shown: Relative) -> uuid.UUID:
    found = await citizens.find(session, house.ring, id_number=shown.id_card.number)
    known = None if found is None else await citizens.profile(session, house.ring, found)
    if found is None or known is None or known.name != shown.id_card.name.strip():
        advice = "Let the relative come with their ID card first: POST /v1/staff/people."
        raise Invalid(errors=[FieldError("/relative/id_card", "unknown", advice)])
    return found


async def _stand_in(session: AsyncSession, house: House, caller: guards.Client, one: Death, by: str) -> bytes:
    """A proof for the citizen's door, which shows rows to whoever stands there alone; its token is given to nobody."""
    signed = await tokens.issue(
        session,
        desk(house).tokens,
        client_id=caller.client_id,
        scopes=frozenset({"me"}),
        jkt=caller.jkt,
        citizen_id=one.citizen_id,
        acr=assurance.REAL_NAME,
        auth_time=clock.wall(),
        actor=f"staff:{by}",
    )
    return desk(house).tokens.read(signed).jti_hash


async def _end_consents(house: House, one: Death, proof: bytes, act: Act) -> None:
    """End each consent that lives or waits, and erase what stood on it, as a withdrawal does."""
    async with house.doors.work("citizen", proof=proof) as session:
        for each in await ledger.of(session, citizen_id=one.citizen_id):
            if each.state == "given" or each.waits:
                await agreement.end(session, house, citizen_id=one.citizen_id, consent_id=each.id, act=act)


async def _close(session: AsyncSession, one: Death) -> str | None:
    """End every way in, and let the relative look; says whether they may."""
    if not one.done:
        await sessions.end_all(session, citizen_id=one.citizen_id)
        await tokens.end_all(session, citizen_id=one.citizen_id)
        await refresh.end_all(session, one.citizen_id)
        await assisted.end_all(session, citizen_id=one.citizen_id)
        await proxies.end_all(session, citizen_id=one.citizen_id)
        await spoken.end_all(session, citizen_id=one.citizen_id)
        await cards.unbind_all(session, citizen_id=one.citizen_id)
    if one.relative_id is None:
        return None
    if await deaths.closed_wish(session, citizen_id=one.citizen_id):
        return "refused_by_wish"
    if not one.done:
        await proxies.begin(
            session,
            citizen_id=one.citizen_id,
            proxy_id=one.relative_id,
            basis="relative",
            until_on=clock.today() + deaths.LOOK,
        )
    return "may_look"


handlers = [
    Router(
        path="/v1/staff/deceased",
        route_handlers=[record, approve, erase],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("auth")), "caller": Provide(guards.provide_client)},
    )
]

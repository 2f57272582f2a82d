"""`DELETE /v1/me`: leaving for good, answered by a signed certificate of what was destroyed, what remains, and why.

In one transaction every consent ends, records and points go, every key of the citizen is destroyed, sessions and tokens
end, and what found the person is deleted: whoever comes back is somebody new. Killed in the middle, nothing happened.
Requests at the same time get the same certificate; it can be fetched again by its number, which names nobody. It is a
JWS (typ `erasure-certificate+jwt`) that verifies offline. PIPL articles 15, 44 and 47.
"""

import hmac
import uuid
from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, delete, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from api import cookies, guards, problems
from api.citizen import agreement, certificate
from api.citizen.certificate import Destroyed, Remains
from api.citizen.door import behind
from api.deps import House, HttpRequest
from api.identity import stepup
from auth import assurance, citizens, holdings, leaving
from auth.consent import ledger
from core import audit, clock, ids
from core.audit import Actor
from core.errors import NotFound
from core.tables import erasure
from incentives import holdings as perks
from incentives.credentials import copies
from incentives.orders import holders as orders
from incentives.plates import bound as plates
from incentives.rides import days
from scoring import retention
from scoring.reports import career


class Preview(msgspec.Struct, frozen=True):
    """What leaving would destroy now and what would remain; `certificate_id` will be the certificate's number."""

    certificate_id: str
    destroyed: list[Destroyed]
    remains: list[Remains]
    unreadable_everywhere_within_days: int


class Left(msgspec.Struct, frozen=True):
    """The certificate: a JWS by a key of `/.well-known/jwks.json`, and its number to fetch it by."""

    certificate_id: str
    left_at: datetime
    certificate: str


@get("/v1/me/leaving", summary="What leaving would do", tags=["citizen"])
async def preview(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Preview:
    """Say beforehand what would go, what would stay and why. Keep the number: the certificate can be fetched by it."""
    return Preview(
        certificate_id=ids.show("le", _number(house, caller.id)),
        destroyed=await _counted(session, house, caller.id),
        remains=certificate.remains(),
        unreadable_everywhere_within_days=house.settings.forgotten_within_days(),
    )


@delete(
    "/v1/me", status_code=200, summary="Leave for good", tags=["citizen"],
    responses={200: ResponseSpec(Left, description="The certificate", generate_examples=False)},
)  # fmt: skip
async def leave(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[Any]:
    """Destroy all that is held about the caller, at once and for good; nothing brings it back.

    401 `insufficient_user_authentication` asks for a new login first; 409 `orders_open` names what must be returned or
    paid before, or closes by itself within 30 days. `GET /v1/rules/erasures/{certificate_id}` gives
    the certificate again.
    """
    await ledger.turn(session, citizen_id=caller.id)
    if await leaving.is_here(session, citizen_id=caller.id):  # or they left a moment ago, and this is a repeat
        await must_be_fresh(session, house, caller)
        if running := await orders.closing(session):  # returned, not raised: that these close within 30 days holds
            return problems.answer(request, orders.OrdersOpen.of(running))
    left = await go(session, house, citizen_id=caller.id, proof=caller.proof)
    # not "cookies": a browser would take those of the whole registered domain; ours are named below
    headers = {"Cache-Control": "no-store", "Clear-Site-Data": '"cache", "storage"'}
    gone = [cookies.cookie(house.settings, name(house.settings), "", max_age=0) for name in _COOKIES]
    return Response(left, headers=headers, cookies=gone)


_COOKIES = (cookies.session_name, cookies.csrf_name)


async def go(session: AsyncSession, house: House, *, citizen_id: uuid.UUID, proof: bytes) -> Left:
    """Destroy all that is held about a citizen; `proof` is that of the live session or token that says who they are.

    Orders that still run go on without them; a citizen who leaves themselves is told of these first (`leave`).
    """
    await ledger.turn(session, citizen_id=citizen_id)
    number = _number(house, citizen_id)
    if await leaving.is_here(session, citizen_id=citizen_id):
        await _leave(session, house, citizen_id, proof, number)
    return await again(session, number)


async def must_be_fresh(session: AsyncSession, house: House, caller: guards.Citizen) -> None:
    """Ask for a fresh login of the level that the citizen has: who never proved a name can leave as they came."""
    known = await citizens.known_profile(session, house.ring, caller.id)
    stepup.must_be_fresh(caller, acr=assurance.REAL_NAME if known else assurance.WECHAT, return_to="/rights")


async def again(session: AsyncSession, number: uuid.UUID) -> Left:
    """A certificate that was given. Raises NotFound."""
    row = (await session.execute(select(erasure).where(erasure.c.id == number))).one_or_none()
    if row is None:
        raise NotFound
    return Left(ids.show("le", row.id), row.at, row.certificate)


async def _leave(session: AsyncSession, house: House, mine: uuid.UUID, proof: bytes, number: uuid.UUID) -> None:
    now = clock.civil()
    await leaving.hold(session, house.ring, citizen_id=mine)
    destroyed, key_names = await _counted(session, house, mine), await leaving.key_names(session, citizen_id=mine)
    for one in await ledger.of(session, citizen_id=mine):
        if one.erased_at is None and one.state in _STANDING:
            await agreement.end(session, house, citizen_id=mine, consent_id=one.id)
    await retention.erase(session, house.ring, citizen_id=mine)
    await audit.write(
        session,
        actor=Actor("citizen", "self"),
        action="leave",
        purpose="erasure",
        outcome="done",
        owner=mine,
        detail={"certificate": ids.show("le", number)},
    )
    await orders.unlink(session)
    await days.forget(session, citizen_id=mine)
    await leaving.destroy_keys(session, citizen_id=mine)
    signed = certificate.sign(house, number, at=now, destroyed=destroyed, keys=key_names)
    await session.execute(insert(erasure).values(id=number, at=now, certificate=signed))
    await leaving.forget(session, proof=proof)  # the session goes with the rest, so nothing can follow


_STANDING = ("given", "expired", "outdated")


async def _counted(session: AsyncSession, house: House, mine: uuid.UUID) -> list[Destroyed]:
    """How many rows there are of each table that leaving empties."""
    async with house.doors.work("auth") as other:
        ways_in = await holdings.ways_in(other, citizen_id=mine)
    counts = {f"auth.{name}": len(rows) for name, rows in ways_in.items()}
    counts |= await holdings.counts(session, citizen_id=mine)
    counts |= await retention.counts(session, house.ring, citizen_id=mine)
    counts |= await career.counts(session, citizen_id=mine)
    counts |= {"incentives.credit_code": len(await perks.codes(session, citizen_id=mine))}
    counts |= await plates.counts(session, citizen_id=mine)
    batches = await copies.mine(session, citizen_id=mine)
    counts |= {"incentives.credential_copy": sum(one.given for one in batches)}
    counts |= {"incentives.ride_day": len(await days.mine(session, citizen_id=mine))}
    return [Destroyed(name, rows) for name, rows in sorted(counts.items())]


def _number(house: House, citizen_id: uuid.UUID) -> uuid.UUID:
    """The certificate's number: the same for every request of one citizen, and nobody's but for our key (UUIDv8)."""
    value = int.from_bytes(hmac.digest(house.ring.derive("leaving"), citizen_id.bytes, "sha256")[:16])
    return uuid.UUID(int=(value & ~(0xF << 76) & ~(0b11 << 62)) | (8 << 76) | (0b10 << 62))


@get("/erasures/{certificate_id:str}", summary="An erasure certificate", tags=["rules"])
async def see_again(certificate_id: FromPath[str], session: NamedDependency[AsyncSession]) -> Left:
    """A certificate by its number, for whoever lost the answer; it names nobody."""
    return await again(session, ids.read("le", certificate_id))


handlers = [behind([preview])]

"""`/v1/sandbox/citizens`, `/codes`, `/subjects`: somebody to present for every outcome, as often as you like.

A code or a subject is of a test citizen made for this one request, so that no two tests meet, and comes out as the list
says. Where a real citizen could not have drawn the code, it says so and gives the code all the same.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from api.deps import House, HttpRequest
from api.guards import Client
from api.partner import desk
from api.public import creditcodes
from api.sandbox import outcomes, people
from api.sandbox.door import behind
from api.sandbox.outcomes import Arranged, Outcome
from api.sandbox.people import Person
from core import clock, ids
from core.errors import FieldError, Invalid, TooMany
from incentives import codes, rulebook
from incentives.book.perks import Perk
from incentives.codes import Code
from incentives.eligibility import Question
from incentives.tables import credit_code

_WINDOW, _MOST = 60, 300
Name = Annotated[str, Meta(min_length=1, max_length=64)]


class Citizens(msgspec.Struct, frozen=True):
    """The test citizens for a perk, and the outcomes that no citizen brings about."""

    perk: str
    citizens: tuple[Outcome, ...]
    arranged: tuple[Arranged, ...]


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which perk of yours, and which test citizen of the list."""

    perk: Name
    citizen: Name = "granted"


class TestCode(msgspec.Struct, frozen=True):
    """A code to present now, and what will come of it."""

    code: str
    perk: str
    expires_at: datetime
    will: Outcome


class TestSubject(msgspec.Struct, frozen=True):
    """The pairwise subject of somebody who let you ask for this perk, and what will come of it."""

    subject: str
    perk: str
    will: Outcome


class NotYourPerk(Invalid):
    """The perk is not one that the caller may ask about."""

    code = "perk_unknown"
    title = "Not one of your perks"


@get("/v1/sandbox/citizens", summary="A test citizen for every outcome")
async def citizens(
    request: HttpRequest, caller: NamedDependency[Client], perk: FromQuery[str | None] = None
) -> Citizens:
    """Who there is for one of the caller's perks (the first, unless `perk` says which), what will happen, and why."""
    found = await _perk(request, caller, perk)
    return Citizens(found.id, outcomes.catalogue(found), outcomes.arranged(found))


@post("/v1/sandbox/codes", status_code=201, summary="A fresh code of a test citizen")
async def draw(
    data: JSONBody[Wanted], request: HttpRequest, house: NamedDependency[House], caller: NamedDependency[Client]
) -> TestCode:
    """A code as this citizen's app would show it; 60 s, one use."""
    await _count(house, caller)
    perk = await _perk(request, caller, data.perk)
    will = outcomes.find(perk, data.citizen, holder="code")
    person = await _made(house, caller, will, perk)
    code = await _drawn(house, person, perk, will)
    if will.citizen == "code_used":
        await _use(request, caller, perk, code)
    return TestCode(code.text, perk.id, code.expires_at, will)


@post("/v1/sandbox/subjects", status_code=201, summary="A test citizen who let you ask")
async def share(
    data: JSONBody[Wanted], request: HttpRequest, house: NamedDependency[House], caller: NamedDependency[Client]
) -> TestSubject:
    """The subject of a standing consent with the caller for this perk."""
    await _count(house, caller)
    perk = await _perk(request, caller, data.perk)
    will = outcomes.find(perk, data.citizen, holder="subject")
    person = await _made(house, caller, will, perk)
    ends = will.citizen == "share_ended"
    subject = await people.share(house, person, partner=caller.client_id, perk=perk.id, ends=ends)
    return TestSubject(ids.show("su", subject), perk.id, will)


async def _count(house: House, caller: Client) -> None:
    if await house.short.count(f"sandbox|{caller.client_id}", _WINDOW) > _MOST:
        detail = f"A sandbox makes at most {_MOST} test citizens a minute."
        raise TooMany(detail, retry_after=_WINDOW)


async def _perk(request: HttpRequest, caller: Client, named: str | None) -> Perk:
    """One of the caller's perks in force. Raises NotYourPerk."""
    here = await desk.of(request)
    for one in await here.gate.perks(token=caller.jti_hash):
        if one.newest and named in {None, one.perk_id}:
            return next(perk for perk in rulebook.read(one.body, one.name) if perk.id == one.perk_id)
    raise NotYourPerk(errors=[FieldError("/perk", "perk_unknown", "GET /v1/partner/perks lists yours.")])


async def _made(house: House, caller: Client, will: Outcome, perk: Perk) -> Person:
    """The test citizen, with the orders that they have elsewhere."""
    person = await people.make(house, will.citizen, perk)
    pool = await house.doors.pool()
    if will.citizen == "three_open_orders":
        await pool.execute("select sandbox.occupy($1, $2, $3)", caller.jti_hash, person.id, perk.id)
    elif will.citizen == "defaulted":
        await pool.execute("select sandbox.owe($1, $2, $3, $4)", caller.jti_hash, person.id, perk.id, ids.random())
    return person


async def _drawn(house: House, person: Person, perk: Perk, will: Outcome) -> Code:
    """What their app would show; whether the perk is granted is not asked here."""
    async with house.doors.work("citizen", proof=person.proof) as session:
        code = await codes.draw(session, creditcodes.mint(house), citizen_id=person.id, perk_id=perk.id)
        if will.citizen == "code_expired":
            code = msgspec.structs.replace(code, expires_at=clock.wall() - codes.LIFE)
            await _relay(session, code, expires_at=code.expires_at)
        elif will.citizen == "code_not_for_you":
            await _relay(session, code, partner_id="somebody-else")
    return code


async def _relay(session: AsyncSession, code: Code, **changed: object) -> None:
    """Lay the row of a code anew, as it would be for another."""
    gone = delete(credit_code).where(credit_code.c.hash == codes.digest(code.text)).returning(credit_code)
    row = (await session.execute(gone)).mappings().one()
    await session.execute(insert(credit_code).values(**{**row, **changed}))


async def _use(request: HttpRequest, caller: Client, perk: Perk, code: Code) -> None:
    """Use the code up, as the caller would."""
    gate = (await desk.of(request)).gate
    await gate.check(Question(perk.id, code=code.text), token=caller.jti_hash)


handlers = [behind([citizens, draw, share])]

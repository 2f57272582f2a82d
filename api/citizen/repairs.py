"""`/v1/me/repairs`: repair a deduction (信用修复). Free of charge; decided within three working days.

What can be repaired, from which day on and how is listed before anybody applies. An application says what was put
right; a person checks it. Refused means: with reasons and with what is missing, and one may apply again at any time.
"""

from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import noting, once
from api.citizen.door import behind
from api.deps import House
from auth import leaving
from core import clock, ids
from core.errors import FieldError, Invalid, NotFound
from scoring.book.repairfile import RepairRules
from scoring.rights import chances, inforce, repairs
from scoring.rights.chances import Chance
from scoring.rights.courses import REPAIR
from scoring.rights.repairs import Repair

PREFIX = "rp"
_ROUTE = "/v1/me/repairs"
_Words = Annotated[str, Meta(min_length=1, max_length=1000)]
_Evidence = Annotated[str, Meta(max_length=2000)]
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class UnknownRecord(Invalid):
    """`record` names no record of the caller's."""

    code = "unknown_record"
    title = "There is no such record of yours"


class Apply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to repair, how, and by which version of the public pledge; `route` where the kind offers several."""

    record: str
    words: _Words
    pledge: int
    route: Word | None = None
    evidence: _Evidence = ""


class Condition(msgspec.Struct, frozen=True):
    """One condition; `met` once a person found it so, `missing` when it was the reason to refuse."""

    id: str
    name: str
    met: bool
    missing: bool


class Happened(msgspec.Struct, frozen=True):
    """One step: what happened, the state after it, by whose act (citizen, source, staff, clock)."""

    at: datetime
    event: str
    state: str
    by: str


class View(msgspec.Struct, frozen=True):
    """An application as its citizen sees it.

    `state` is one of `GET /v1/state-machines`; `decide_by` is a day by whose end it is decided, `provisional` while the
    holidays of its year are not published.
    """

    id: str
    record: str
    about: str
    kind: str
    route: str | None
    state: str
    state_name: str
    allowed_actions: list[str]
    conditions: list[Condition]
    words: str
    evidence: str
    pledge: int
    opened_at: datetime
    decide_by: date
    provisional: bool
    overdue: bool
    reasons: str | None
    history: list[Happened]


class Way(msgspec.Struct, frozen=True):
    """A deduction that still counts: from when on its repair can be applied for, or how else its effect ends."""

    record: str
    about: str
    kind: str
    repairable_on: date | None
    now: bool
    conditions: list[str]
    routes: list[str]
    how: str


class Views(msgspec.Struct, frozen=True):
    """The caller's applications, newest first, and what can be repaired."""

    repairs: list[View]
    repairable: list[Way]


def view(one: Repair, rules: RepairRules) -> View:
    """Show an application; `rules` are those under which it began."""
    conditions = [
        Condition(name, rules.conditions[name].name, name in one.met, name in one.missing) for name in one.needed
    ]
    waits = one.state in repairs.OPEN
    return View(
        id=ids.show(PREFIX, one.id),
        record=ids.show("rc", one.record_id),
        about=one.application.label,
        kind=one.kind,
        route=one.route,
        state=one.state,
        state_name=REPAIR.chinese(one.state),
        allowed_actions=list(REPAIR.allowed(one.state, by="citizen")),
        conditions=conditions,
        words=one.application.words,
        evidence=one.application.evidence,
        pledge=one.application.pledge,
        opened_at=one.opened_at,
        decide_by=one.decide_by,
        provisional=one.provisional and waits,
        overdue=waits and clock.today() > one.decide_by,
        reasons=one.reasons,
        history=[Happened(step.at, step.event, step.state, step.by) for step in one.history],
    )


@get("/v1/me/repairs", summary="My repairs, and what can be repaired", tags=["citizen"])
async def listed(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """Every application of the caller's, and every deduction that still counts with the way out of it."""
    today = clock.today()
    rules = await inforce.repair(session, on=today)
    ways = await chances.of(session, house.ring, citizen_id=caller.id, rules=rules, today=today)
    return Views(await everything(session, house, caller), [_way(one, rules, today) for one in ways])


async def everything(session: AsyncSession, house: House, caller: guards.Citizen) -> list[View]:
    """Every application of the caller's, newest first."""
    found = await repairs.of(session, house.ring, citizen_id=caller.id)
    return [view(one, await inforce.repair_of(session, digest=one.rules)) for one in found]


@get("/v1/me/repairs/{repair_id:str}", summary="One repair", tags=["citizen"])
async def one_repair(
    repair_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """One application of the caller's, with its history."""
    found = await repairs.get(session, house.ring, citizen_id=caller.id, repair_id=ids.read(PREFIX, repair_id))
    return await _shown(session, found)


@post(_ROUTE, summary="Apply for a repair", tags=["citizen"])
async def apply(
    data: JSONBody[Apply],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    idempotency_key: once.IdempotencyKey = None,
) -> Response[View]:
    """Apply for the repair of one's own deduction.

    409 `too_early` before the minimum display time is over, `not_repairable`, `already_open`; 422 `bad_application`.
    """
    await leaving.turn(session, citizen_id=caller.id)
    before = await once.before(session, house, caller, idempotency_key, route=_ROUTE, given=data)
    if before is not None:
        found = await repairs.get(session, house.ring, citizen_id=caller.id, repair_id=before)
        return once.again(await _shown(session, found))
    made = await _made(session, house, caller, data)
    await noting.note(session, caller, action="repair.apply", purpose="repair", matter=ids.show(PREFIX, made.id))
    await once.keep(session, caller, idempotency_key, made.id)
    return once.first(await _shown(session, made))


async def _made(session: AsyncSession, house: House, caller: guards.Citizen, data: Apply) -> Repair:
    """Open the application; raises UnknownRecord beside what `repairs.apply` raises."""
    try:
        return await repairs.apply(
            session,
            house.ring,
            citizen_id=caller.id,
            record_id=ids.read("rc", data.record),
            route=data.route,
            pledge=data.pledge,
            words=data.words,
            evidence=data.evidence,
        )
    except NotFound as absent:
        if absent.code != NotFound.code:  # not enrolled is another answer
            raise
        advice = "Use an id from GET /v1/me/repairs."
        raise UnknownRecord(errors=[FieldError("/record", "unknown_record", advice)]) from absent


@post("/v1/me/repairs/{repair_id:str}/withdraw", status_code=200, summary="Take it back", tags=["citizen"])
async def withdraw(
    repair_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Take an application back; 409 `illegal_transition` once it is decided."""
    found = ids.read(PREFIX, repair_id)
    done = await repairs.withdraw(session, house.ring, citizen_id=caller.id, repair_id=found)
    await noting.note(session, caller, action="repair.withdraw", purpose="repair", matter=repair_id)
    return await _shown(session, done)


async def _shown(session: AsyncSession, one: Repair) -> View:
    return view(one, await inforce.repair_of(session, digest=one.rules))


def _way(one: Chance, rules: RepairRules, today: date) -> Way:
    return Way(
        record=ids.show("rc", one.record.id),
        about=one.record.label,
        kind=one.record.kind,
        repairable_on=one.on,
        now=one.on is not None and one.on <= today,
        conditions=[rules.conditions[name].name for name in one.always],
        routes=list(one.one_of),
        how=one.how,
    )


handlers = [behind([listed, one_repair, apply, withdraw])]

"""`/v1/staff/repairs`: a person checks and decides what citizens applied for. Scope `staff:repairs`.

The queue shows numbers and days. Whoever opens an application says who they are (a staff number) and why, and its
citizen reads that. Approving ends the deduction in the same transaction; nothing here takes a number of points.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.citizen import repairs as citizens
from api.citizen.repairs import View, Word
from api.deps import House
from api.staff.clerks import ClerkNo, ClerkQuery, Purpose, PurposeQuery
from core import clock, ids
from core.errors import FieldError, Invalid
from scoring.rights import inforce, repairdesk, steps
from scoring.rights.repairdesk import Case, Look

_MOST = 100
_PREFIX = citizens.PREFIX
_Reasons = Annotated[str, Meta(min_length=1, max_length=2000)]


class Item(msgspec.Struct, frozen=True):
    """An application in the queue; `overdue` when its day has passed."""

    id: str
    kind: str
    route: str | None
    state: str
    opened_at: datetime
    decide_by: date
    provisional: bool
    overdue: bool


class Queue(msgspec.Struct, frozen=True):
    """A page, the oldest first; send `next_cursor` as `cursor` for the next one."""

    items: list[Item]
    next_cursor: str | None


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which conditions a person found met."""

    clerk: ClerkNo
    purpose: Purpose
    met: list[Word]


class Decide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Reasons, for the citizen to read."""

    clerk: ClerkNo
    purpose: Purpose
    reasons: _Reasons


class Refuse(Decide, frozen=True, forbid_unknown_fields=True):
    """Reasons, and what is missing."""

    missing: list[Word] = []


@get("", summary="Repairs that wait", tags=["staff"])
async def queue(
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
    limit: FromQuery[int] = 50,
    cursor: FromQuery[str | None] = None,
) -> Queue:
    """The applications without a decision, the oldest first."""
    after = ids.read(_PREFIX, cursor) if cursor else None
    if not 1 <= limit <= _MOST:
        raise Invalid(errors=[FieldError("/limit", "out_of_range", f"Use 1 to {_MOST}.")])
    found = await repairdesk.waiting(session, token=caller.jti_hash, limit=limit + 1, after=after)
    today = clock.today()
    items = [
        Item(
            ids.show(_PREFIX, one.id),
            *(one.kind, one.route, one.state, one.opened_at, one.decide_by, one.provisional),
            overdue=today > one.decide_by,
        )
        for one in found[:limit]
    ]
    return Queue(items, items[-1].id if len(found) > limit else None)


@get("/{repair_id:str}", summary="Open a repair", tags=["staff"])
async def one_repair(
    repair_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
    clerk: ClerkQuery,
    purpose: PurposeQuery,
) -> View:
    """One application with its words. Its citizen reads which clerk opened it, and why."""
    return await _shown(session, house, await _open(session, house, Look(caller.jti_hash, clerk, purpose), repair_id))


@post("/{repair_id:str}/check", status_code=200, summary="Check the conditions", tags=["staff"])
async def check(
    repair_id: FromPath[str],
    data: JSONBody[Check],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> View:
    """Write down which conditions are met; the minimum display time was counted before."""
    async with _opened(session, house, caller, data, repair_id) as (deciding, case, look):
        after = await repairdesk.check(deciding, case=case, look=look, met=data.met)
    return await _shown(session, house, after)


@post("/{repair_id:str}/extend", status_code=200, summary="Take three working days more", tags=["staff"])
async def extend(
    repair_id: FromPath[str],
    data: JSONBody[Decide],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> View:
    """Once, with reasons."""
    async with _opened(session, house, caller, data, repair_id) as (deciding, case, look):
        after = await repairdesk.extend(deciding, case=case, look=look, reasons=data.reasons)
    return await _shown(session, house, after)


@post("/{repair_id:str}/approve", status_code=200, summary="Approve a repair", tags=["staff"])
async def approve(
    repair_id: FromPath[str],
    data: JSONBody[Decide],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> View:
    """End the deduction from today on; its citizen's points have moved before the answer. 409 `conditions_missing`."""
    async with _opened(session, house, caller, data, repair_id) as (deciding, case, look):
        after = await repairdesk.approve(deciding, house.ring, case=case, look=look, reasons=data.reasons)
    return await _shown(session, house, after)


@post("/{repair_id:str}/refuse", status_code=200, summary="Refuse a repair", tags=["staff"])
async def refuse(
    repair_id: FromPath[str],
    data: JSONBody[Refuse],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> View:
    """Refuse with reasons and what is missing; the citizen may apply again at once."""
    async with _opened(session, house, caller, data, repair_id) as (deciding, case, look):
        after = await repairdesk.refuse(deciding, case=case, look=look, reasons=data.reasons, missing=data.missing)
    return await _shown(session, house, after)


@asynccontextmanager
async def _opened(
    session: AsyncSession, house: House, caller: guards.Client, data: Check | Decide, shown: str
) -> AsyncGenerator[tuple[AsyncSession, Case, Look]]:
    """An application read by a clerk, and the transaction of the scorer's door in which they take one step."""
    look = Look(caller.jti_hash, data.clerk, data.purpose)
    case = await _open(session, house, look, shown)
    async with house.doors.work("scorer") as deciding:
        yield deciding, case, look


async def _open(session: AsyncSession, house: House, look: Look, shown: str) -> Case:
    return await repairdesk.read(session, house.ring, look=look, repair_id=ids.read(_PREFIX, shown))


async def _shown(session: AsyncSession, house: House, case: Case) -> View:
    """As the citizen sees it, steps and all, but for what only they can do."""
    async with house.doors.work("scorer") as scorer:
        history = (await steps.of(scorer, [case.repair.id])).get(case.repair.id, [])
    told = msgspec.structs.replace(case.repair, history=history)
    shown = citizens.view(told, await inforce.repair_of(session, digest=case.repair.rules))
    allowed = list(repairdesk.REPAIR.allowed(case.repair.state, by="staff"))
    return msgspec.structs.replace(shown, allowed_actions=allowed)


handlers = [
    Router(
        path="/v1/staff/repairs",
        route_handlers=[queue, one_repair, check, extend, approve, refuse],
        guards=[guards.client("staff", "staff:repairs")],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]

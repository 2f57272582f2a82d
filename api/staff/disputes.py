"""`/v1/staff/disputes`: the office checks, forwards, presses and decides. Scope `staff:disputes`.

The queue shows numbers and days; whoever opens a dispute or takes a step says who they are (a staff number) and why,
and its citizen reads that. What is possible is the state table's (`GET /v1/state-machines`). Works on the scorer's
door, since an upheld dispute takes its record away and the points follow before the answer.
"""

import uuid
from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.citizen import disputes as citizens
from api.deps import House
from api.staff.clerks import ClerkNo, ClerkQuery, Purpose, PurposeQuery
from auth import clients
from core import clock, ids
from core.errors import FieldError, Invalid
from scoring.rights import objections, verdicts
from scoring.rights.disputing import Reason
from scoring.rights.marks import Mark, Matter
from scoring.rights.objections import Dispute, Look
from scoring.rights.verdicts import Act

SCOPE = "staff:disputes"
_MOST = 100
_WITH_REASONS = frozenset[Act]({"extend", "uphold", "overrule", "note"})


class Item(msgspec.Struct, frozen=True):
    """A dispute in the queue; `overdue` when its day has passed."""

    id: str
    kind: str
    source: str
    reason: Reason
    state: str
    suspends: bool
    opened_at: datetime
    due_on: date
    overdue: bool


class Queue(msgspec.Struct, frozen=True):
    """A page, the most urgent first; send `next_cursor` as `cursor` for the next one."""

    items: list[Item]
    next_cursor: str | None


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step of a clerk's. `reasons`, which the citizen reads, are needed to extend and to decide.

    forward: to the source · extend: a head approves three more working days · escalate: to a head · accept: new
    evidence holds, so the deduction is suspended again · uphold: the record goes · overrule, note: a head decides
    after an escalation, against it or that it cannot be resolved.
    """

    clerk: ClerkNo
    purpose: Purpose
    act: Act
    reasons: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None


class Pending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is pending about the disputed record, since when, and its file number; `matter` null takes it off."""

    clerk: ClerkNo
    purpose: Purpose
    matter: Matter | None
    since: date | None = None
    evidence: Annotated[str, Meta(max_length=200)] = ""


@get("/disputes", summary="Disputes that are open", tags=["staff"])
async def queue(
    session: NamedDependency[AsyncSession], limit: FromQuery[int] = 50, cursor: FromQuery[str | None] = None
) -> Queue:
    """The open disputes, the most urgent first: no names, no words."""
    if not 1 <= limit <= _MOST:
        raise Invalid(errors=[FieldError("/limit", "out_of_range", f"Use 1 to {_MOST}.")])
    found = await objections.waiting(session, limit=limit + 1, after=_after(cursor))
    today = clock.today()
    page = [
        Item(
            ids.show(verdicts.PREFIX, one.id), one.kind, one.source, msgspec.convert(one.reason, Reason), one.state,
            one.suspends, one.opened_at, one.due_on, one.due_on < today,
        )
        for one in found[:limit]
    ]  # fmt: skip
    return Queue(page, f"{page[-1].due_on}.{page[-1].id}" if len(found) > limit else None)


@get("/disputes/{dispute_id:str}", summary="Open a dispute", tags=["staff"])
async def one(
    dispute_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
    clerk: ClerkQuery,
    purpose: PurposeQuery,
) -> citizens.View:
    """One dispute with its words. Its citizen reads which clerk opened it, and why."""
    look, read = Look(caller.jti_hash, clerk, purpose), ids.read(verdicts.PREFIX, dispute_id)
    return await _shown(session, await verdicts.read(session, house.ring, look=look, dispute_id=read))


@post("/disputes/{dispute_id:str}/steps", status_code=200, summary="Take a step", tags=["staff"])
async def step(
    dispute_id: FromPath[str],
    data: JSONBody[Step],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> citizens.View:
    """Check, forward, extend, press or decide; 409 `illegal_transition` names what is possible."""
    if data.act in _WITH_REASONS and data.reasons is None:
        raise Invalid(errors=[FieldError("/reasons", "missing", "Say why; the citizen reads it.")])
    look, read = Look(caller.jti_hash, data.clerk, data.purpose), ids.read(verdicts.PREFIX, dispute_id)
    return await _shown(
        session,
        await verdicts.act(session, house.ring, look=look, dispute_id=read, event=data.act, reasons=data.reasons),
    )


@post("/disputes/{dispute_id:str}/pending", status_code=200, summary="Mark a pending review", tags=["staff"])
async def pending(
    dispute_id: FromPath[str],
    data: JSONBody[Pending],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> citizens.View:
    """Note on the disputed record that a lawsuit or reconsideration is pending, or over (SZX article 43)."""
    if data.matter is not None and not data.evidence:
        raise Invalid(errors=[FieldError("/evidence", "missing", "Send the file number of the matter.")])
    told = None if data.matter is None else Mark(data.matter, data.since or clock.today(), data.evidence)
    look, read = Look(caller.jti_hash, data.clerk, data.purpose), ids.read(verdicts.PREFIX, dispute_id)
    return await _shown(session, await verdicts.mark(session, house.ring, look=look, dispute_id=read, told=told))


async def _shown(session: AsyncSession, found: Dispute) -> citizens.View:
    return citizens.view(found, await clients.names(session, {found.source}))


def _after(cursor: str | None) -> tuple[date, uuid.UUID] | None:
    if cursor is None:
        return None
    day, _, shown = cursor.partition(".")
    try:
        return date.fromisoformat(day), ids.read(verdicts.PREFIX, shown)
    except ValueError as error:
        raise Invalid(errors=[FieldError("/cursor", "invalid", "Send the `next_cursor` of a page.")]) from error


handlers = [
    Router(
        path="/v1/staff",
        route_handlers=[queue, one, step, pending],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("scorer")), "caller": Provide(guards.provide_client)},
    )
]

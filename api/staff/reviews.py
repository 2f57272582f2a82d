"""`/v1/staff/reviews` and `/v1/staff/corrections`: a person answers what citizens asked. Scope `staff:reviews`.

The queue shows numbers and days; whoever opens a matter says who they are (a staff number) and why, and its citizen
reads that. An answer has reasons and can only help; nobody but a person gives it (PIPL article 24).
"""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.citizen import reviews as citizens
from api.deps import House
from api.staff.clerks import Purpose, PurposeQuery
from auth import matters
from auth.matters import Kind, Look, Outcome
from core import clock, ids
from core.errors import FieldError, Invalid

_MOST = 100
_CLERK = r"^[0-9A-Za-z-]{1,32}$"
_Clerk = Annotated[str, Meta(pattern=_CLERK)]
_ClerkQuery = Annotated[str, QueryParameter(pattern=_CLERK)]
_Reasons = Annotated[str, Meta(min_length=1, max_length=2000)]


class Item(msgspec.Struct, frozen=True):
    """A matter in the queue; `overdue` when its day has passed."""

    id: str
    about: str
    state: str
    opened_at: datetime
    answer_by: datetime
    overdue: bool


class Queue(msgspec.Struct, frozen=True):
    """A page, the oldest first; send `next_cursor` as `cursor` for the next one."""

    items: list[Item]
    next_cursor: str | None


class Send(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who sends a correction on, and why."""

    clerk: _Clerk
    purpose: Purpose


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person found: `outcome` kept or improved, `reasons` for the citizen to read."""

    clerk: _Clerk
    purpose: Purpose
    outcome: Outcome
    reasons: _Reasons


@get("/reviews", summary="Reviews that wait", tags=["staff"])
async def reviews(
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
    limit: FromQuery[int] = 50,
    cursor: FromQuery[str | None] = None,
) -> Queue:
    """The reviews without an answer, the oldest first."""
    return await _queue(session, caller, "review", limit, cursor)


@get("/reviews/{review_id:str}", summary="Open a review", tags=["staff"])
async def one_review(
    review_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
    clerk: _ClerkQuery,
    purpose: PurposeQuery,
) -> citizens.View:
    """One review with its words. Its citizen reads which clerk opened it, and why."""
    return await _read(session, house, Look(caller.jti_hash, clerk, purpose), "review", review_id)


@post("/reviews/{review_id:str}/answer", status_code=200, summary="Answer a review", tags=["staff"])
async def answer_review(
    review_id: FromPath[str],
    data: JSONBody[Answer],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> citizens.View:
    """Answer once, with reasons."""
    return await _answer(session, house, caller, "review", review_id, data)


@get("/corrections", summary="Corrections that wait", tags=["staff"])
async def corrections(
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
    limit: FromQuery[int] = 50,
    cursor: FromQuery[str | None] = None,
) -> Queue:
    """The corrections without an answer, the oldest first."""
    return await _queue(session, caller, "correction", limit, cursor)


@get("/corrections/{correction_id:str}", summary="Open a correction", tags=["staff"])
async def one_correction(
    correction_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
    clerk: _ClerkQuery,
    purpose: PurposeQuery,
) -> citizens.View:
    """One correction with its words. Its citizen reads which clerk opened it, and why."""
    return await _read(session, house, Look(caller.jti_hash, clerk, purpose), "correction", correction_id)


@post("/corrections/{correction_id:str}/send", status_code=200, summary="Send a correction on", tags=["staff"])
async def send_correction(
    correction_id: FromPath[str],
    data: JSONBody[Send],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> citizens.View:
    """Note that it went to the identity provider, the counter or the source that the datum comes from."""
    look, matter_id = Look(caller.jti_hash, data.clerk, data.purpose), ids.read("cr", correction_id)
    await matters.read(session, house.ring, look=look, kind="correction", matter_id=matter_id)
    await matters.send(session, look=look, matter_id=matter_id)
    return await _read(session, house, look, "correction", correction_id)


@post("/corrections/{correction_id:str}/answer", status_code=200, summary="Answer a correction", tags=["staff"])
async def answer_correction(
    correction_id: FromPath[str],
    data: JSONBody[Answer],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> citizens.View:
    """Answer once, with reasons."""
    return await _answer(session, house, caller, "correction", correction_id, data)


async def _queue(session: AsyncSession, caller: guards.Client, kind: Kind, limit: int, cursor: str | None) -> Queue:
    if not 1 <= limit <= _MOST:
        raise Invalid(errors=[FieldError("/limit", "out_of_range", f"Use 1 to {_MOST}.")])
    after = ids.read(matters.PREFIX[kind], cursor) if cursor else None
    found = await matters.waiting(session, token=caller.jti_hash, kind=kind, limit=limit + 1, after=after)
    now, prefix = clock.civil(), matters.PREFIX[kind]
    page = [
        Item(ids.show(prefix, one.id), one.about, one.state, one.opened_at, one.answer_by, one.answer_by < now)
        for one in found[:limit]
    ]
    return Queue(page, page[-1].id if len(found) > limit else None)


async def _read(session: AsyncSession, house: House, look: Look, kind: Kind, shown: str) -> citizens.View:
    matter_id = ids.read(matters.PREFIX[kind], shown)
    return citizens.view(await matters.read(session, house.ring, look=look, kind=kind, matter_id=matter_id))


async def _answer(
    session: AsyncSession, house: House, caller: guards.Client, kind: Kind, shown: str, data: Answer
) -> citizens.View:
    look, matter_id = Look(caller.jti_hash, data.clerk, data.purpose), ids.read(matters.PREFIX[kind], shown)
    await matters.answer(
        session, house.ring, look=look, kind=kind, matter_id=matter_id, outcome=data.outcome, reasons=data.reasons
    )
    return await _read(session, house, look, kind, shown)


handlers = [
    Router(
        path="/v1/staff",
        route_handlers=[
            reviews,
            one_review,
            answer_review,
            corrections,
            one_correction,
            send_correction,
            answer_correction,
        ],
        guards=[guards.client("staff", "staff:reviews")],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]

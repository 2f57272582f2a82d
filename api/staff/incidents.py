"""`/v1/staff/incidents`: a breach from the moment it is known to its end (PIPL 57). Scope `staff:incidents`.

The desk reads numbers, never who: the persons are told by an entry that each finds among "who looked".
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.citizen.me import page_size
from api.deps import House
from api.staff import clerks
from api.staff.clerks import ClerkNo
from auth import clients, incidents
from auth.incidents import Incident, Kind, Number, Opening
from core import audit, clock, ids
from core.audit import Actor
from core.errors import FieldError, Invalid

SCOPE = "staff:incidents"
_PAGE = 50
_Words = Annotated[str, Meta(min_length=1, max_length=4_000)]
_Instant = Annotated[datetime, Meta(tz=True)]


class Open(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_at": "from", "until_at": "to"}):
    """What is known. `client_id`: by whose key data was read, left out for anybody's; `known_at`: now if left out."""

    clerk: ClerkNo
    kinds: Annotated[list[Kind], Meta(min_length=1, max_length=5)]
    from_at: _Instant
    until_at: _Instant
    cause: _Words
    measures: _Words
    client_id: Annotated[str, Meta(max_length=64)] | None = None
    known_at: _Instant | None = None


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes the step."""

    clerk: ClerkNo


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who tells, and the words that everybody concerned reads: cause, harm, remedy, what to do, contact. No names."""

    clerk: ClerkNo
    notice: Annotated[str, Meta(min_length=1, max_length=1_000)]


class View(msgspec.Struct, frozen=True, rename={"from_at": "from", "until_at": "to"}):
    """An incident. `report_by`: four hours after `known_at`; `overdue`: reported later than that, or not yet."""

    id: str
    state: str
    kinds: list[str]
    from_at: datetime
    until_at: datetime
    client_id: str | None
    cause: str
    measures: str
    persons: int
    numbers: list[Number]
    known_at: datetime
    report_by: datetime
    overdue: bool
    opened_by: str
    opened_at: datetime
    reported_at: datetime | None
    notified_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None


class Views(msgspec.Struct, frozen=True):
    """Incidents, newest first; send `next_cursor` as `cursor` for the next page."""

    incidents: list[View]
    next_cursor: str | None


@post("", summary="Open an incident", tags=["staff"])
async def open_one(
    data: JSONBody[Open],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> View:
    """Counts at once, from the log, whose data of these kinds was read in that time."""
    known = await _known(session, data)
    by = clerks.person(caller, data.clerk)
    made = await incidents.open(session, house.ring, token=caller.jti_hash, known=known, by=by)
    await _note(session, caller, data.clerk, made, "incident.open")
    return show(made)


@get("", summary="Incidents", tags=["staff"])
async def see(
    session: NamedDependency[AsyncSession], limit: FromQuery[int] = _PAGE, cursor: FromQuery[str | None] = None
) -> Views:
    """All of them; they are kept."""
    before = ids.read("in", cursor) if cursor else None
    found = await incidents.everything(session, limit=page_size(limit) + 1, before=before)
    shown = [show(one) for one in found[:limit]]
    return Views(shown, shown[-1].id if len(found) > limit else None)


@get("/{incident_id:str}", summary="One incident", tags=["staff"])
async def see_one(incident_id: FromPath[str], session: NamedDependency[AsyncSession]) -> View:
    """One incident and its clock."""
    return show(await incidents.get(session, incident_id=ids.read("in", incident_id)))


@post("/{incident_id:str}/report", status_code=200, summary="Note the report of an incident", tags=["staff"])
async def report(
    incident_id: FromPath[str],
    data: JSONBody[Step],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
) -> View:
    """The regulator was told."""
    made = await incidents.report(session, incident_id=ids.read("in", incident_id))
    await _note(session, caller, data.clerk, made, "incident.report")
    return show(made)


@post("/{incident_id:str}/notify", status_code=200, summary="Tell the persons concerned", tags=["staff"])
async def notify(
    incident_id: FromPath[str],
    data: JSONBody[Notice],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> View:
    """One entry each, which they read at `/v1/me/accesses` and on their page."""
    made = await incidents.notify(
        session,
        house.ring,
        incident_id=ids.read("in", incident_id),
        notice=data.notice,
        actor=Actor("staff", caller.client_id),
        clerk=data.clerk,
    )
    await _note(session, caller, data.clerk, made, "incident.tell")
    return show(made)


@post("/{incident_id:str}/close", status_code=200, summary="Close an incident", tags=["staff"])
async def close(
    incident_id: FromPath[str],
    data: JSONBody[Step],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
) -> View:
    """By a second person; the sealed list of persons goes."""
    by = clerks.person(caller, data.clerk)
    made = await incidents.close(session, incident_id=ids.read("in", incident_id), by=by)
    await _note(session, caller, data.clerk, made, "incident.close")
    return show(made)


async def _known(session: AsyncSession, data: Open) -> Opening:
    """What was sent, when it can be true. Raises Invalid."""
    known_at, wrong = data.known_at or clock.wall(), list[FieldError]()
    if not data.from_at < data.until_at or data.from_at > clock.civil():
        wrong.append(FieldError("/to", "out_of_range", "A time that has begun, its end after its beginning."))
    if known_at > clock.wall():
        wrong.append(FieldError("/known_at", "out_of_range", "Nothing is known before it is known."))
    if data.client_id is not None and data.client_id not in await clients.names(session, {data.client_id}):
        wrong.append(FieldError("/client_id", "unknown_client", "See GET /v1/staff/clients."))
    if wrong:
        raise Invalid(errors=wrong)
    return Opening(
        kinds=sorted(set(data.kinds)),
        from_at=data.from_at,
        until_at=data.until_at,
        client_id=data.client_id,
        cause=data.cause,
        measures=data.measures,
        known_at=known_at,
    )


async def _note(session: AsyncSession, caller: guards.Client, clerk: str, one: Incident, action: str) -> None:
    detail = {"incident": ids.show("in", one.id), "kinds": one.kinds, "clerk": clerk}
    actor = Actor("staff", caller.client_id)
    await audit.write(session, actor=actor, action=action, purpose="incident", outcome="done", detail=detail)


def show(one: Incident) -> View:
    """An incident as its desk reads it."""
    said: dict[str, Any] = msgspec.structs.asdict(one)
    said |= {"id": ids.show("in", one.id), "numbers": msgspec.convert(one.numbers, list[Number])}
    return View(**said, state=one.state, report_by=one.report_by, overdue=one.overdue)


handlers = [
    Router(
        path="/v1/staff/incidents",
        route_handlers=[open_one, see, see_one, report, notify, close],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]

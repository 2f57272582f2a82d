"""`/v1/me/report.pdf` and `/v1/me/reports`: a page to show to others, as much on it as its holder chooses.

Its number can be checked by whoever has it (`api.public.verifying`) until its last day, or until its holder stops it or
withdraws. Issuing takes the login that the citizen has; the name in full takes a fresh one. Asking again on the same
day for the same contents gives the same page with the same number. CIR article 17, SH article 34: free, and as often
as wanted.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind, must_be_json
from api.citizen.me import mask_name
from api.deps import House, HttpRequest
from api.identity import stepup
from auth import citizens, clients, leaving
from auth.consent import terms
from core import audit, clock, ids
from core.audit import Actor
from core.errors import FieldError, Invalid
from core.months import shift
from scoring import rulebook, standing
from scoring.points import explain
from scoring.points.scoreview import ScoreView
from scoring.reports import issued, paper, printing
from scoring.reports.issued import Issued, Purpose
from scoring.reports.paper import LONGEST_DAYS, Choice, Holder, Paper, Query

PDF = "application/pdf"
_YEAR = 12
_SPEC = {200: ResponseSpec(bytes, media_type=PDF, description="One A4 page, tagged (PDF/A-2a, PDF/UA-1)")}


class View(msgspec.Struct, frozen=True):
    """A report that was issued. `shows` are the titles of what stands on it; `live`: its number can be checked now."""

    id: str
    number: str
    title: str
    shows: tuple[str, ...]
    recipient: str
    issued_at: datetime
    valid_until: date
    revoked_at: datetime | None
    live: bool


class Views(msgspec.Struct, frozen=True):
    """All of them, newest first; what has been over for 30 days is gone."""

    reports: list[View]


def view(one: Issued) -> View:
    """Show a report to its holder."""
    told = {fact.label: fact.value for fact in one.paper.facts}
    shows = [fact.label for fact in one.paper.headline] + [part.title for part in one.paper.parts]
    return View(
        id=ids.show("rp", one.id),
        number=one.number,
        title=one.paper.title,
        shows=tuple(shows),
        recipient=told.get("出示给", ""),
        issued_at=one.issued_at,
        valid_until=one.paper.valid_until,
        revoked_at=one.revoked_at,
        live=one.live,
    )


@get("/v1/me/report.pdf", media_type=PDF, summary="A report to show to others", tags=["citizen"], responses=_SPEC)
async def report(  # noqa: PLR0913  each is a choice of the holder's
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    *,
    points: FromQuery[bool] = True,
    tier: FromQuery[bool] = True,
    dimensions: FromQuery[bool] = False,
    records: FromQuery[bool] = False,
    queries: FromQuery[bool] = False,
    days: FromQuery[int] = 30,
) -> Response[bytes]:
    """A page that shows what is chosen and can be checked for `days` days (1 to 90). 404 `not_enrolled` without points.

    What names somebody (the full name, for whom the page is) does not belong into an address: POST takes those.
    """
    chosen = {
        "points": points, "tier": tier, "dimensions": dimensions, "records": records, "queries": queries, "days": days,
    }  # fmt: skip
    try:
        choice = msgspec.convert(chosen, Choice)
    except msgspec.ValidationError as error:
        raise Invalid(errors=[FieldError("/days", "out_of_range", f"Use 1 to {LONGEST_DAYS}.")]) from error
    return await issue(session, house, caller, choice)


@post(
    "/v1/me/report.pdf", status_code=200, media_type=PDF, summary="A report for somebody", tags=["citizen"],
    responses=_SPEC,
)  # fmt: skip
async def report_for(
    request: HttpRequest,
    data: JSONBody[Choice],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[bytes]:
    """As the GET, with every choice; the full name asks for a fresh login (401 `insufficient_user_authentication`)."""
    must_be_json(request)
    return await issue(session, house, caller, data)


async def issue(session: AsyncSession, house: House, caller: guards.Citizen, choice: Choice) -> Response[bytes]:
    """Make the page and let its number be checked."""
    if choice.full_name:
        stepup.must_be_fresh(caller, return_to="/reports")
    await leaving.turn(session, citizen_id=caller.id)
    today = clock.today()
    book = await rulebook.current(session, on=today)
    evaluation, _ = await standing.of(session, house.ring, citizen_id=caller.id, as_of=today, book=book)
    shown = explain.explain(evaluation, book.scorecard)
    made = paper.of_score(
        choice,
        await holder_of(session, house, caller),
        shown,
        counted=_counted(shown),
        queries=await _queries(session, caller) if choice.queries else (),
        issuer=house.settings.controller,
        issued_on=today,
        valid_until=today + timedelta(days=choice.days),
    )
    return await hand_out(session, house, caller, made, purpose="score")


async def holder_of(session: AsyncSession, house: House, caller: guards.Citizen) -> Holder:
    """The caller's name, and the name masked."""
    profile = await citizens.profile(session, house.ring, caller.id)
    return Holder(profile.name, mask_name(profile.name))


async def hand_out(
    session: AsyncSession, house: House, caller: guards.Citizen, made: Paper, *, purpose: Purpose
) -> Response[bytes]:
    """Print a paper: under the number that the same paper has already, or under a new one."""
    address = f"{house.settings.base_url}/verify"
    for one in await issued.of(session, house.ring, citizen_id=caller.id):
        if one.live and one.purpose == purpose and one.paper == made:
            return _answer(await printing.printed(made, number=one.number, address=address))
    number = issued.new_number()
    pdf = await printing.printed(made, number=number, address=address)
    report_id = await issued.keep(
        session,
        house.ring,
        citizen_id=caller.id,
        purpose=purpose,
        number=number,
        paper=made,
        pdf=pdf,
        expires_at=terms.expiry(made.valid_until),
    )
    await _note(session, caller, "report.issue", purpose, {"id": ids.show("rp", report_id)})
    return _answer(pdf)


@get("/v1/me/reports", summary="Reports that I issued", tags=["citizen"])
async def reports(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """Every report of the caller's with its number; who checked one stands in /v1/me/accesses."""
    return Views([view(one) for one in await issued.of(session, house.ring, citizen_id=caller.id)])


@delete("/v1/me/reports/{report_id:str}", status_code=200, summary="Stop a report", tags=["citizen"])
async def revoke(
    report_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Views:
    """From the next check on, the number is like one that never was. Repeating changes nothing."""
    read = ids.read("rp", report_id)
    await issued.revoke(session, citizen_id=caller.id, report_id=read)
    await _note(session, caller, "report.revoke", "report", {"id": report_id})
    return await reports.fn(session, house, caller)


def _counted(shown: ScoreView) -> int:
    """How many records stand behind the points."""
    parts = [*(one for dimension in shown.dimensions for one in dimension.indicators), *shown.deductions]
    return len({record for part in parts for record in part.records})


async def _queries(session: AsyncSession, caller: guards.Citizen) -> list[Query]:
    """Who asked within a year, by name."""
    day = shift(clock.today(), -_YEAR)
    since = datetime.combine(day, datetime.min.time(), clock.CITY_ZONE)
    asked = await audit.asked(session, owner=caller.id, since=since)
    names = await clients.names(session, {one.actor.id for one in asked})
    return [Query(names.get(one.actor.id, "已注销的单位"), one.times, clock.day_of(one.last_at)) for one in asked]


def _answer(pdf: bytes) -> Response[bytes]:
    headers = {"Content-Disposition": f'attachment; filename="osmanthus-{clock.today():%Y%m%d}.pdf"'}
    return Response(pdf, media_type=PDF, status_code=200, headers=headers)


async def _note(
    session: AsyncSession, caller: guards.Citizen, action: str, purpose: str, detail: Mapping[str, str]
) -> None:
    await audit.write(
        session,
        actor=Actor("citizen", "self"),
        action=action,
        purpose=purpose,
        outcome="done",
        owner=caller.id,
        detail=detail,
    )


handlers = [behind([report, report_for, reports, revoke])]

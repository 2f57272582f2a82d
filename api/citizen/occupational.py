"""`/v1/me/occupational` and the occupational report: records of one's profession, for one's own use.

They stand on a consent of their own and never count into points. The report is made like the one about points: one
number, checked by whoever has it, over when its holder stops it or withdraws.
"""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import report as reporting
from api.citizen.door import behind, must_be_json
from api.citizen.report import PDF
from api.deps import House, HttpRequest
from api.identity import stepup
from auth import clients, leaving
from auth.consent import ledger
from core import clock, ids
from scoring import rulebook
from scoring.reports import career, careerpaper
from scoring.reports.career import Held
from scoring.reports.careerpaper import Choice

_SPEC = {200: ResponseSpec(bytes, media_type=PDF, description="A4, tagged (PDF/A-2a, PDF/UA-1)")}


class View(msgspec.Struct, frozen=True):
    """One occupational record; `shown`: it stands on a report made now. `shown_until`: from then on it does not."""

    id: str
    kind: str
    name: str
    label: str
    source: str
    ref: str
    version: int
    positive: bool
    shown: bool
    occurred_on: date
    shown_until: date | None
    received_at: datetime
    fields: dict[str, Any]
    document: dict[str, Any] | None
    notice: dict[str, Any] | None


class Views(msgspec.Struct, frozen=True):
    """All of them, the latest day first."""

    records: list[View]


async def held(session: AsyncSession, house: House, caller: guards.Citizen) -> list[Held]:
    """The caller's occupational records. Raises NotConsented."""
    if await ledger.live(session, citizen_id=caller.id, purpose=career.PURPOSE) is None:
        raise career.NotConsented
    today = clock.today()
    book = await rulebook.current(session, on=today)
    return await career.of(session, house.ring, citizen_id=caller.id, catalogue=book.career, today=today)


async def views(session: AsyncSession, house: House, caller: guards.Citizen) -> list[View]:
    """The same as their citizen sees them; nothing without a consent."""
    try:
        return [_view(one) for one in await held(session, house, caller)]
    except career.NotConsented:
        return []


@get("/v1/me/occupational", summary="My occupational records", tags=["citizen"])
async def records(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """Everything held for occupational reports; 404 `no_occupational_consent` without the consent."""
    return Views([_view(one) for one in await held(session, house, caller)])


@get(
    "/v1/me/occupational-report.pdf", media_type=PDF, summary="An occupational report", tags=["citizen"],
    responses=_SPEC,
)  # fmt: skip
async def report(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Response[bytes]:
    """Every kind, the name masked, to be checked for 30 days."""
    return await issue(session, house, caller, Choice())


@post(
    "/v1/me/occupational-report.pdf", status_code=200, media_type=PDF, summary="An occupational report for somebody",
    tags=["citizen"], responses=_SPEC,
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
    """Make the pages and let their number be checked."""
    if choice.full_name:
        stepup.must_be_fresh(caller, return_to="/reports")
    await leaving.turn(session, citizen_id=caller.id)
    shown = career.shown(await held(session, house, caller))
    today = clock.today()
    made = careerpaper.of_career(
        choice,
        await reporting.holder_of(session, house, caller),
        shown,
        names=await clients.names(session, {one.source for one in shown}),
        issuer=house.settings.controller,
        issued_on=today,
        valid_until=today + timedelta(days=choice.days),
    )
    return await reporting.hand_out(session, house, caller, made, purpose=career.PURPOSE)


def _view(one: Held) -> View:
    content = one.content
    return View(
        id=ids.show("oc", one.id),
        kind=content.kind,
        name=one.name,
        label=one.label,
        source=one.source,
        ref=one.ref,
        version=one.version,
        positive=one.positive,
        shown=one.shown,
        occurred_on=content.occurred_on,
        shown_until=one.until,
        received_at=one.received_at,
        fields=content.fields,
        document=content.document,
        notice=content.notice,
    )


handlers = [behind([records, report, report_for])]

"""`GET /v1/me/export`: everything held about the caller, to take away. Needs a fresh login; leaves an entry."""

import uuid

from litestar import get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.response import Stream
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import (
    archive,
    commitments,
    consents,
    declarations,
    disputes,
    leaving,
    me,
    occupational,
    orders,
    repairs,
    report,
    reviews,
)
from api.citizen.archive import Export, Profile
from api.citizen.door import behind
from api.deps import House
from auth import accounts, citizens, clients, holdings, matters
from auth.consent import ledger
from core import audit, clock
from core.audit import Actor
from incentives import holdings as perks
from incentives import receipts
from incentives.credentials import copies
from incentives.plates import bound as plates
from incentives.rides import days
from scoring import exporting, rulebook

_PAGE = 500
_ZIP = "application/zip"


@get(
    "/v1/me/export",
    media_type=_ZIP,
    summary="Take everything away",
    tags=["citizen"],
    responses={200: ResponseSpec(bytes, media_type=_ZIP, description="A ZIP: see its README.txt")},
)
async def export(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Stream:
    """A signed ZIP of all that is held about the caller, with the rules' texts, for reading and for moving elsewhere.

    `export.json` follows `/v1/rules/export.schema.json`. 401 `insufficient_user_authentication` asks for a new login.
    """
    await leaving.must_be_fresh(session, house, caller)
    await _note(session, caller)
    found = await everything(session, house, caller)
    digests = () if found.enrolment is None else found.enrolment.rules
    rules = {digest: await rulebook.text(session, kind="scorecard", digest=digest) for digest in digests}
    made = archive.files(found, rules, key=house.ring.ed25519(receipts.KID))
    name = f"osmanthus-{clock.today():%Y%m%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Stream(archive.pack(made, at=found.made_at), media_type=_ZIP, headers=headers)


async def everything(session: AsyncSession, house: House, caller: guards.Citizen) -> Export:
    """All that the database holds about the caller; `session` is the citizen door's."""
    mine, ring = caller.id, house.ring
    async with house.doors.work("auth") as other:
        ways_in = await holdings.ways_in(other, citizen_id=mine)
    enrolment = await exporting.of(session, ring, citizen_id=mine)
    decisions = await perks.decisions(session, citizen_id=mine)
    ridden = await days.mine(session, citizen_id=mine)
    feeds = await holdings.sources(session, citizen_id=mine)
    asked = await matters.of(session, ring, citizen_id=mine)
    parties = {one.partner for one in (*decisions, *ridden)} | {one.source for one in feeds}
    parties |= {one.source for one in enrolment.records} if enrolment else set()
    return Export(
        format=archive.FORMAT,
        made_at=clock.civil(),
        made_by=house.settings.controller,
        profile=await _profile(session, house, caller),
        ways_in=ways_in,
        consents=[consents.view(one) for one in await ledger.of(session, citizen_id=mine)],
        codes_drawn=await holdings.drawn(session, citizen_id=mine),
        codes=await perks.codes(session, citizen_id=mine),
        sources=feeds,
        enrolment=enrolment,
        decisions=decisions,
        orders=(await orders.mine.fn(session)).orders,
        rides=ridden,
        plates=await plates.of(session, ring, citizen_id=mine),
        credentials=await copies.mine(session, citizen_id=mine),
        reviews=[reviews.view(one) for one in asked if one.kind == "review"],
        corrections=[reviews.view(one) for one in asked if one.kind == "correction"],
        disputes=(await disputes.mine.fn(session, house, caller)).items,
        reports=(await report.reports.fn(session, house, caller)).reports,
        occupational=await occupational.views(session, house, caller),
        repairs=await repairs.everything(session, house, caller) if enrolment else [],
        declarations=await declarations.everything(session, house, caller) if enrolment else [],
        commitments=await commitments.everything(session, house, caller) if enrolment else [],
        accesses=await _accesses(session, mine),
        names=await clients.names(session, parties),
    )


async def _profile(session: AsyncSession, house: House, caller: guards.Citizen) -> Profile:
    """Who the citizen is, as far as anybody proved it."""
    known = await citizens.known_profile(session, house.ring, caller.id)
    phone = await accounts.phone_of(session, house.ring, citizen_id=caller.id)
    who = (known.name, known.id_number, known.birth_date) if known else (None, None, None)
    return Profile(*who, phone, caller.acr)


async def _accesses(session: AsyncSession, mine: uuid.UUID) -> list[me.Access]:
    """Every entry, newest first."""
    shown: list[me.Access] = []
    before: uuid.UUID | None = None
    while page := await audit.about(session, owner=mine, limit=_PAGE, before=before):
        names = await clients.names(session, {entry.actor.id for entry in page})
        shown += [me.show(entry, names) for entry in page]
        before = page[-1].id
    return shown


async def _note(session: AsyncSession, caller: guards.Citizen) -> None:
    await audit.write(
        session, actor=Actor("citizen", "self"), action="export", purpose="portability", outcome="done", owner=caller.id
    )


handlers = [behind([export])]

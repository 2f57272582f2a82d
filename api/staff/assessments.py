"""`/v1/staff/impact-assessments`: what was weighed before a partner, a perk or the city goes live (PIPL 55, 56)."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.citizen.me import page_size
from core import assessments, audit, clock, ids
from core.assessments import Assessment
from core.audit import Actor

SCOPE = "staff:assessments"
_PAGE = 50
_Words = Annotated[str, Meta(min_length=1, max_length=4_000)]


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An assessment: of whom or what, the digest (SHA-256, hex) of the whole document, its risks and measures."""

    subject_kind: Literal["partner", "perk", "city", "processing"]
    subject: Annotated[str, Meta(pattern=r"^[0-9a-z][0-9a-z._-]{0,63}$")]
    document: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    risks: _Words
    measures: _Words
    valid_until: date


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the second person decides."""

    approved: bool


class View(msgspec.Struct, frozen=True):
    """An assessment. `state`: draft, live, rejected or lapsed."""

    id: str
    state: str
    subject_kind: str
    subject: str
    document: str
    risks: str
    measures: str
    valid_until: date
    drafted_by: str
    drafted_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class Views(msgspec.Struct, frozen=True):
    """Assessments, newest first; send `next_cursor` as `cursor` for the next page."""

    assessments: list[View]
    next_cursor: str | None


@post("", summary="Draft an impact assessment", tags=["staff"])
async def draft(
    data: JSONBody[Draft], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Client]
) -> View:
    """Valid for three years at the most; it allows nothing until a second person approves it."""
    made = await assessments.draft(session, **msgspec.structs.asdict(data), by=caller.by)
    await _note(session, made, "assessment.draft", caller, "done")
    return show(made)


@get("", summary="Impact assessments", tags=["staff"])
async def see(
    session: NamedDependency[AsyncSession], limit: FromQuery[int] = _PAGE, cursor: FromQuery[str | None] = None
) -> Views:
    """All of them; they are kept."""
    before = ids.read("pia", cursor) if cursor else None
    found = await assessments.everything(session, limit=page_size(limit) + 1, before=before)
    shown = [show(one) for one in found[:limit]]
    return Views(shown, shown[-1].id if len(found) > limit else None)


@get("/{assessment_id:str}", summary="One impact assessment", tags=["staff"])
async def see_one(assessment_id: FromPath[str], session: NamedDependency[AsyncSession]) -> View:
    """One assessment, decided or not."""
    return show(await assessments.get(session, assessment_id=ids.read("pia", assessment_id)))


@post("/{assessment_id:str}/decide", status_code=200, summary="Decide an impact assessment", tags=["staff"])
async def decide(
    assessment_id: FromPath[str],
    data: JSONBody[Decision],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
) -> View:
    """By a second person: the drafter gets 409 `second_person_needed`."""
    made = await assessments.decide(
        session, assessment_id=ids.read("pia", assessment_id), approved=data.approved, by=caller.by
    )
    await _note(session, made, "assessment.decide", caller, "approved" if data.approved else "rejected")
    return show(made)


async def _note(session: AsyncSession, one: Assessment, action: str, caller: guards.Client, outcome: str) -> None:
    detail = {"assessment": ids.show("pia", one.id), "subject": one.subject, "document": one.document}
    actor = Actor("staff", caller.by)
    await audit.write(session, actor=actor, action=action, purpose=one.subject_kind, outcome=outcome, detail=detail)


def show(one: Assessment) -> View:
    """An assessment as the office reads it."""
    state = {None: "draft", False: "rejected", True: "live"}[one.approved]
    said: dict[str, Any] = msgspec.structs.asdict(one)
    del said["approved"]
    lapsed = state == "live" and not one.live(clock.today())
    said |= {"id": ids.show("pia", one.id), "state": "lapsed" if lapsed else state}
    return View(**said)


handlers = [
    Router(
        path="/v1/staff/impact-assessments",
        route_handlers=[draft, see, see_one, decide],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]

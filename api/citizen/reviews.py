"""`/v1/me/reviews` and `/v1/me/corrections`: a person of the office looks at it, and answers with reasons.

A review is about an outcome: the points, a decision at a counter, a record, a consent (PIPL article 24). A correction
is about a datum: one's own profile, which the identity provider or a counter corrects, or a record, which goes to its
source (PIPL article 46, SZX articles 50 and 51). Both have a day by which they are answered, and can only help.
"""

import uuid
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from api.deps import House
from auth import leaving, matters
from auth.consent import ledger
from auth.matters import Kind, Matter
from core import audit, clock, ids
from core.audit import Actor
from core.errors import FieldError, Invalid, NotFound
from scoring import records
from scoring.reports import career

LONGEST = 1000
_Words = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
_About = Annotated[str, Meta(min_length=1, max_length=40)]


class UnknownOutcome(Invalid):
    """There is no such outcome or datum of the caller's."""

    code = "unknown_about"
    title = "There is nothing of yours under this name"


class AskReview(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`about`: `score`, or the id of a decision (dc_), record (rc_) or consent (co_) of one's own."""

    about: _About
    words: _Words


class AskCorrection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`about`: `profile.name`, `profile.birth_date`, or the id of a record (rc_, oc_) of one's own."""

    about: Annotated[str, Meta(pattern=r"^(profile\.(name|birth_date)|(rc|oc)_[0-9A-Z]{26})$")]
    words: _Words


class View(msgspec.Struct, frozen=True):
    """A matter as its citizen sees it.

    `state`: opened, sent (a correction, to whom it concerns) or answered; `outcome`: kept or improved; `overdue`: the
    office is late.
    """

    id: str
    about: str
    words: str
    state: Literal["opened", "sent", "answered"]
    opened_at: datetime
    answer_by: datetime
    overdue: bool
    sent_at: datetime | None
    answered_at: datetime | None
    outcome: Literal["kept", "improved"] | None
    answer: str | None


class Views(msgspec.Struct, frozen=True):
    """All of them, newest first."""

    items: list[View]


def view(one: Matter) -> View:
    """Show a matter."""
    shown = msgspec.structs.asdict(one)
    kind = shown.pop("kind")
    overdue = one.state != "answered" and one.answer_by < clock.civil()
    return msgspec.convert({**shown, "id": ids.show(matters.PREFIX[kind], one.id), "overdue": overdue}, View)


@get("/v1/me/reviews", summary="Reviews that I asked for", tags=["citizen"])
async def reviews(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """Every review that the caller asked for, with its answer."""
    return await _all(session, house, caller, "review")


@get("/v1/me/reviews/{review_id:str}", summary="One review", tags=["citizen"])
async def one_review(
    review_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """One review of the caller's, with its answer."""
    return await _one(session, house, caller, "review", review_id)


@post("/v1/me/reviews", summary="Ask that a person looks at it", tags=["citizen"])
async def ask_review(
    data: JSONBody[AskReview],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Have any outcome looked at by a person, within 15 days; the result can only help."""
    if data.about != "score":
        await _must_be_mine(session, house, caller.id, data.about)
    return await _ask(session, house, caller, "review", data.about, data.words)


@get("/v1/me/corrections", summary="Corrections that I asked for", tags=["citizen"])
async def corrections(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """Every correction that the caller asked for, with its answer."""
    return await _all(session, house, caller, "correction")


@get("/v1/me/corrections/{correction_id:str}", summary="One correction", tags=["citizen"])
async def one_correction(
    correction_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """One correction of the caller's, with its answer."""
    return await _one(session, house, caller, "correction", correction_id)


@post("/v1/me/corrections", summary="Say that a datum is wrong", tags=["citizen"])
async def ask_correction(
    data: JSONBody[AskCorrection],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Have one's own data corrected: checked by the office within a day, then sent to whom it comes from."""
    if not data.about.startswith("profile."):
        await _must_be_mine(session, house, caller.id, data.about)
    return await _ask(session, house, caller, "correction", data.about, data.words)


async def _all(session: AsyncSession, house: House, caller: guards.Citizen, kind: Kind) -> Views:
    return Views([view(one) for one in await matters.of(session, house.ring, citizen_id=caller.id, kind=kind)])


async def _one(session: AsyncSession, house: House, caller: guards.Citizen, kind: Kind, shown: str) -> View:
    matter_id = ids.read(matters.PREFIX[kind], shown)
    return view(await matters.get(session, house.ring, citizen_id=caller.id, kind=kind, matter_id=matter_id))


async def _ask(session: AsyncSession, house: House, caller: guards.Citizen, kind: Kind, about: str, words: str) -> View:
    await leaving.turn(session, citizen_id=caller.id)
    opened = await matters.open(session, house.ring, citizen_id=caller.id, kind=kind, about=about, words=words)
    await audit.write(
        session,
        actor=Actor("citizen", "self"),
        action=f"{kind}.ask",
        purpose=kind,
        outcome="done",
        owner=caller.id,
        detail={"matter": ids.show(matters.PREFIX[kind], opened.id)},
    )
    return view(opened)


async def _must_be_mine(session: AsyncSession, house: House, citizen_id: uuid.UUID, about: str) -> None:
    """Raise UnknownOutcome unless the citizen has such a decision, record or consent; absent and not yours are one."""
    try:
        found = await _found(session, house, citizen_id, about)
    except NotFound:
        found = False
    if not found:
        advice = "Use an id from /v1/me/records, /v1/me/consents or /v1/me/accesses."
        raise UnknownOutcome(errors=[FieldError("/about", "unknown_about", advice)])


async def _found(session: AsyncSession, house: House, citizen_id: uuid.UUID, about: str) -> bool:
    prefix = about.partition("_")[0]
    value = ids.read(prefix, about)
    match prefix:
        case "rc":
            await records.get(session, house.ring, citizen_id=citizen_id, record_id=value)
        case "co":
            await ledger.get(session, citizen_id=citizen_id, consent_id=value)
        case "oc":
            return await career.holds(session, citizen_id=citizen_id, record_id=value)
        case "dc":
            return await matters.was_decided(session, citizen_id=citizen_id, decision=about)
        case _:
            return False
    return True


handlers = [behind([reviews, one_review, ask_review, corrections, one_correction, ask_correction])]

"""`/v1/me/declarations`: declare an honour, volunteering or the like oneself (自主申报). It counts once it is verified.

The bureau that the citizen names must be a source of their consent that may send this kind; it reads what was declared,
and answers. Only its record counts. A declaration that could not be verified takes no point away.
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
from api.citizen import bureaus, noting, once
from api.citizen.door import behind
from api.citizen.repairs import Happened
from api.deps import House
from auth import leaving
from core import ids
from scoring.rights import declarations
from scoring.rights.courses import DECLARATION
from scoring.rights.declarations import Declaration, Said

PREFIX = "dl"
_ROUTE = "/v1/me/declarations"
_Kind = Annotated[str, Meta(pattern=r"^P[0-9]{2}$")]
_Source = Annotated[str, Meta(min_length=1, max_length=64)]
_Title = Annotated[str, Meta(min_length=1, max_length=100)]
_Evidence = Annotated[str, Meta(min_length=1, max_length=1000)]
_No = Annotated[str, Meta(min_length=1, max_length=100)]


class Declare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened, who can verify it, how it can be seen, and by which version of the truth pledge it is declared.

    `again`: the declaration that could not be verified, when there is new evidence.
    """

    kind: _Kind
    source: _Source
    title: _Title
    happened_on: date
    evidence: _Evidence
    pledge: int
    document_no: _No | None = None
    again: str | None = None


class View(msgspec.Struct, frozen=True):
    """A declaration as its citizen sees it; `answer_by` and `lapse_on` are days by whose end the bureau answers."""

    id: str
    source: str
    kind: str
    title: str
    happened_on: date
    evidence: str
    document_no: str | None
    pledge: int
    state: str
    state_name: str
    allowed_actions: list[str]
    opened_at: datetime
    answer_by: date
    lapse_on: date
    provisional: bool
    again: str | None
    reasons: str | None
    history: list[Happened]


class Views(msgspec.Struct, frozen=True):
    """All of them, newest first."""

    declarations: list[View]


def view(one: Declaration) -> View:
    """Show a declaration."""
    return View(
        id=ids.show(PREFIX, one.id),
        source=one.source,
        kind=one.kind,
        title=one.said.title,
        happened_on=one.said.happened_on,
        evidence=one.said.evidence,
        document_no=one.said.document_no,
        pledge=one.said.pledge,
        state=one.state,
        state_name=DECLARATION.chinese(one.state),
        allowed_actions=list(DECLARATION.allowed(one.state, by="citizen")),
        opened_at=one.opened_at,
        answer_by=one.answer_by,
        lapse_on=one.lapse_on,
        provisional=one.provisional and one.state in declarations.WAITING,
        again=None if one.again_of is None else ids.show(PREFIX, one.again_of),
        reasons=one.reasons,
        history=[Happened(step.at, step.event, step.state, step.by) for step in one.history],
    )


@get("/v1/me/declarations", summary="What I declared", tags=["citizen"])
async def listed(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """Every declaration of the caller's."""
    return Views(await everything(session, house, caller))


async def everything(session: AsyncSession, house: House, caller: guards.Citizen) -> list[View]:
    """Every declaration of the caller's, newest first."""
    return [view(one) for one in await declarations.of(session, house.ring, citizen_id=caller.id)]


@get("/v1/me/declarations/{declaration_id:str}", summary="One declaration", tags=["citizen"])
async def one_declaration(
    declaration_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """One declaration of the caller's, with its history."""
    found = ids.read(PREFIX, declaration_id)
    return view(await declarations.get(session, house.ring, citizen_id=caller.id, declaration_id=found))


@post(_ROUTE, summary="Declare something", tags=["citizen"])
async def declare(
    data: JSONBody[Declare],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    idempotency_key: once.IdempotencyKey = None,
) -> Response[View]:
    """Declare something about oneself; the named bureau reads it and answers within the days of the rules.

    422 `not_declarable`; 409 `kind_refused`, `same_evidence`, `too_many_open`.
    """
    await leaving.turn(session, citizen_id=caller.id)
    before = await once.before(session, house, caller, idempotency_key, route=_ROUTE, given=data)
    if before is not None:
        found = await declarations.get(session, house.ring, citizen_id=caller.id, declaration_id=before)
        return once.again(view(found))
    made = await declarations.declare(
        session,
        house.ring,
        citizen_id=caller.id,
        source=data.source,
        permitted=await bureaus.permitted(session, caller, data.source),
        kind=data.kind,
        said=Said(data.title, data.happened_on, data.evidence, data.document_no, data.pledge),
        again_of=None if data.again is None else ids.read(PREFIX, data.again),
    )
    shown = view(made)
    await noting.note(session, caller, action="declaration.make", purpose="score", matter=shown.id)
    await once.keep(session, caller, idempotency_key, made.id)
    return once.first(shown)


@post("/v1/me/declarations/{declaration_id:str}/withdraw", status_code=200, summary="Take it back", tags=["citizen"])
async def withdraw(
    declaration_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Take a declaration back; 409 `illegal_transition` once it is answered."""
    found = ids.read(PREFIX, declaration_id)
    done = await declarations.withdraw(session, house.ring, citizen_id=caller.id, declaration_id=found)
    await noting.note(session, caller, action="declaration.withdraw", purpose="score", matter=declaration_id)
    return view(done)


handlers = [behind([listed, one_declaration, declare, withdraw])]

"""`/v1/me/commitments`: the register of what the caller promised (告知承诺), and what became of it.

A commitment is made by the standard text of its item. Its number goes to the bureau, whose records say whether it was
kept; a commitment that is merely overdue takes no point away.
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
from scoring.rights import commitments, inforce
from scoring.rights.commitments import Course
from scoring.rights.courses import COMMITMENT

PREFIX = "cm"
_ROUTE = "/v1/me/commitments"
_Item = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
_Source = Annotated[str, Meta(min_length=1, max_length=64)]
_Words = Annotated[str, Meta(max_length=500)]


class Commit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which item, by which version of its text, to which bureau, until when; `words` say what it is about."""

    item: _Item
    version: int
    source: _Source
    due_on: date
    words: _Words = ""


class View(msgspec.Struct, frozen=True):
    """A commitment; `number` is what the bureau's records name it by, `record` the one that closed it."""

    id: str
    number: str
    item: str
    name: str
    version: int
    text: str
    source: str
    words: str
    made_at: datetime
    due_on: date
    state: str
    state_name: str
    allowed_actions: list[str]
    record: str | None
    history: list[Happened]


class Views(msgspec.Struct, frozen=True):
    """All of them, newest first."""

    commitments: list[View]


async def _view(session: AsyncSession, one: Course) -> View:
    made = one.promise
    item = (await inforce.promises_of(session, digest=made.rules)).items[made.item]
    return View(
        id=ids.show(PREFIX, made.id),
        number=made.terms.number,
        item=made.item,
        name=item.name,
        version=made.item_version,
        text=item.text,
        source=made.source,
        words=made.terms.words,
        made_at=made.made_at,
        due_on=made.due_on,
        state=one.state,
        state_name=COMMITMENT.chinese(one.state),
        allowed_actions=list(COMMITMENT.allowed(one.state, by="citizen")),
        record=None if one.record is None else ids.show("rc", one.record),
        history=[Happened(step.at, step.event, step.state, step.by) for step in one.history],
    )


@get("/v1/me/commitments", summary="What I promised", tags=["citizen"])
async def listed(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """Every commitment of the caller's, as it stands today."""
    return Views(await everything(session, house, caller))


async def everything(session: AsyncSession, house: House, caller: guards.Citizen) -> list[View]:
    """Every commitment of the caller's, newest first."""
    return [await _view(session, one) for one in await commitments.of(session, house.ring, citizen_id=caller.id)]


@get("/v1/me/commitments/{commitment_id:str}", summary="One commitment", tags=["citizen"])
async def one_commitment(
    commitment_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """One commitment of the caller's, with its history."""
    found = ids.read(PREFIX, commitment_id)
    one = await commitments.get(session, house.ring, citizen_id=caller.id, commitment_id=found)
    return await _view(session, one)


@post(_ROUTE, summary="Promise something", tags=["citizen"])
async def commit(
    data: JSONBody[Commit],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    idempotency_key: once.IdempotencyKey = None,
) -> Response[View]:
    """Make a commitment by a standard text of `GET /v1/rules/promises`. 422 `bad_commitment`, 409 `too_many_open`."""
    await leaving.turn(session, citizen_id=caller.id)
    before = await once.before(session, house, caller, idempotency_key, route=_ROUTE, given=data)
    if before is not None:
        found = await commitments.get(session, house.ring, citizen_id=caller.id, commitment_id=before)
        return once.again(await _view(session, found))
    made = await commitments.make(
        session,
        house.ring,
        citizen_id=caller.id,
        source=data.source,
        permitted=await bureaus.permitted(session, caller, data.source),
        item=(data.item, data.version),
        due_on=data.due_on,
        words=data.words,
    )
    matter = ids.show(PREFIX, made.promise.id)
    await noting.note(session, caller, action="commitment.make", purpose="score", matter=matter)
    await once.keep(session, caller, idempotency_key, made.promise.id)
    return once.first(await _view(session, made))


@post("/v1/me/commitments/{commitment_id:str}/withdraw", status_code=200, summary="Take it back", tags=["citizen"])
async def withdraw(
    commitment_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Take a commitment back before its day; 409 `illegal_transition` later."""
    found = ids.read(PREFIX, commitment_id)
    done = await commitments.withdraw(session, house.ring, citizen_id=caller.id, commitment_id=found)
    await noting.note(session, caller, action="commitment.withdraw", purpose="score", matter=commitment_id)
    return await _view(session, done)


handlers = [behind([listed, one_commitment, commit, withdraw])]

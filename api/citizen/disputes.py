"""`/v1/me/disputes`: object to a record (SZX articles 50 and 51, PIPL article 46).

A disputed deduction stops counting before the answer. The words go to the office and to the source of the record,
without the caller's name, which the caller is told before sending. Every step and every day is shown.
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
from api.citizen import once
from api.citizen.door import behind
from api.deps import House
from auth import clients, leaving
from core import audit, clock, ids
from core.audit import Actor
from scoring.rights import disputes, verdicts
from scoring.rights.disputing import DISPUTE, Reason
from scoring.rights.objections import Dispute, Said

_ROUTE = "/v1/me/disputes"


class Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong with which record (rc_), in words, and what proves it."""

    record: Annotated[str, Meta(min_length=1, max_length=40)]
    reason: Reason
    words: Annotated[str, Meta(min_length=1, max_length=disputes.LONGEST_WORDS)]
    evidence: Annotated[str, Meta(max_length=disputes.LONGEST_EVIDENCE)] = ""


class StepView(msgspec.Struct, frozen=True):
    """One step: what was done, by whom (citizen, source, staff, clock), where it led, by when the next is due."""

    at: datetime
    event: str
    by: str
    state: str
    due_on: date | None


class View(msgspec.Struct, frozen=True):
    """A dispute as its citizen sees it.

    `record` is null once the record is gone; `suspends`: the record does not count while this is open; `due_on`: the
    day by whose end the next step is owed, `provisional` while that year's holidays are not published; `overdue`: the
    office or the source is late.
    """

    id: str
    record: str | None
    version: int
    source: str
    kind: str
    reason: Reason
    words: str
    evidence: str
    state: str
    suspends: bool
    opened_at: datetime
    due_on: date | None
    provisional: bool
    overdue: bool
    closed_at: datetime | None
    answer: str | None
    allowed_actions: list[str]
    history: list[StepView]


class Views(msgspec.Struct, frozen=True):
    """All of them, newest first."""

    items: list[View]


def view(one: Dispute, names: dict[str, str]) -> View:
    """Show a dispute; `names` are the sources' names."""
    closed = one.state in DISPUTE.final
    return View(
        id=ids.show(verdicts.PREFIX, one.id),
        record=None if one.record_id is None else ids.show("rc", one.record_id),
        version=one.version,
        source=names.get(one.source, one.source),
        kind=one.kind,
        reason=msgspec.convert(one.reason, Reason),
        words=one.said.words,
        evidence=one.said.evidence,
        state=one.state,
        suspends=one.suspends,
        opened_at=one.opened_at,
        due_on=None if closed else one.due_on,
        provisional=one.provisional and not closed,
        overdue=not closed and one.due_on < clock.today(),
        closed_at=one.closed_at,
        answer=one.answer,
        allowed_actions=list(DISPUTE.allowed(one.state, by="citizen")),
        history=[StepView(step.at, step.event, step.by, step.state, step.due_on) for step in one.steps],
    )


@get("/v1/me/disputes", summary="My disputes", tags=["citizen"])
async def mine(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Views:
    """Every dispute of the caller's, with its days and its course."""
    found = await disputes.of(session, house.ring, citizen_id=caller.id)
    names = await clients.names(session, {one.source for one in found})
    return Views([view(one, names) for one in found])


@get("/v1/me/disputes/{dispute_id:str}", summary="One dispute", tags=["citizen"])
async def one_dispute(
    dispute_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """One dispute of the caller's."""
    read = ids.read(verdicts.PREFIX, dispute_id)
    return await _shown(session, await disputes.get(session, house.ring, citizen_id=caller.id, dispute_id=read))


@post(_ROUTE, summary="Object to a record", tags=["citizen"])
async def ask(
    data: JSONBody[Object],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    idempotency_key: once.IdempotencyKey = None,
) -> Response[View]:
    """Have a record looked at: here within a working day, by its source within two more.

    A deduction stops counting at once, once per version of the record. The office and the source read the words and
    the evidence; the source is not told who the caller is, so they should not say it either.
    """
    await leaving.turn(session, citizen_id=caller.id)
    before = await once.before(session, house, caller, idempotency_key, route=_ROUTE, given=data)
    if before is not None:
        found = await disputes.get(session, house.ring, citizen_id=caller.id, dispute_id=before)
        return once.again(await _shown(session, found))
    opened = await disputes.open(
        session, house.ring, citizen_id=caller.id, record_id=ids.read("rc", data.record), reason=data.reason,
        said=Said(data.words, data.evidence),
    )  # fmt: skip
    await _write(session, caller, "dispute.open", "asked", opened)
    await once.keep(session, caller, idempotency_key, opened.id)
    return once.first(await _shown(session, opened))


@post("/v1/me/disputes/{dispute_id:str}/withdraw", status_code=200, summary="Take an objection back", tags=["citizen"])
async def withdraw(
    dispute_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """End a dispute of one's own; a deduction counts again from today. 409 `illegal_transition` after its end."""
    read = ids.read(verdicts.PREFIX, dispute_id)
    ended = await disputes.withdraw(session, house.ring, citizen_id=caller.id, dispute_id=read)
    await _write(session, caller, "dispute.withdraw", "done", ended)
    return await _shown(session, ended)


async def _shown(session: AsyncSession, one: Dispute) -> View:
    return view(one, await clients.names(session, {one.source}))


async def _write(session: AsyncSession, caller: guards.Citizen, action: str, outcome: str, one: Dispute) -> None:
    detail = {"dispute": ids.show(verdicts.PREFIX, one.id)}
    who = Actor("citizen", "self")
    await audit.write(
        session, actor=who, action=action, purpose="dispute", outcome=outcome, owner=caller.id, detail=detail
    )


handlers = [behind([mine, one_dispute, ask, withdraw])]

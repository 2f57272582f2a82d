"""`/v1/source/declarations` and `/v1/source/commitments`: what citizens declared or promised to the caller.

A bureau sees only what names it, while the consent lives, by the digest agreed with it. Verifying a declaration is a
record that passes the check of every record; refusing has reasons, which the citizen reads, and moves no point.
"""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.deps import House
from api.source import door
from core import ids
from core.errors import FieldError, Invalid
from scoring.rights import verifying

_PREFIX = verifying.PREFIX
_Reasons = Annotated[str, Meta(min_length=1, max_length=1000)]
_Ref = Annotated[str, Meta(min_length=1, max_length=64)]


class BadAnswer(Invalid):
    """`record` belongs to a yes, `reasons` to a no."""

    code = "bad_answer"
    title = "The answer is not whole"


class Declared(msgspec.Struct, frozen=True):
    """A declaration to the caller; `subject` is the digest agreed with them."""

    id: str
    subject: str
    kind: str
    title: str
    happened_on: date
    document_no: str | None
    evidence: str
    state: str
    answer_by: date
    lapse_on: date


class Waiting(msgspec.Struct, frozen=True):
    """What waits for an answer, the oldest first, at most 100."""

    declarations: list[Declared]


class Promised(msgspec.Struct, frozen=True):
    """A commitment to the caller; records name it by `number` in `fields.commitment`."""

    subject: str
    number: str
    item: str
    version: int
    words: str
    made_at: datetime
    due_on: date


class Register(msgspec.Struct, frozen=True):
    """The commitments to the caller, newest first, at most 100."""

    commitments: list[Promised]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The record that verifies: as a line of `/v1/source/records`, without the kind and the person."""

    ref: _Ref
    occurred_on: str
    fields: dict[str, Any]
    version: Annotated[int, Meta(ge=1, le=2**31 - 1)] = 1
    document: dict[str, Any] | None = None


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`verified` with the `record`, or not, with `reasons` for the citizen to read."""

    verified: bool
    record: Line | None = None
    reasons: _Reasons | None = None


class Answered(msgspec.Struct, frozen=True):
    """The answer was taken."""

    id: str
    state: str


@get("/v1/source/declarations", summary="Declarations to verify", tags=["source"])
async def asked(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Client]
) -> Waiting:
    """What citizens declared to the caller and nobody answered. Each of them reads that it was seen."""
    found = await verifying.asked(session, house.ring, source=caller.client_id)
    return Waiting(
        [
            Declared(
                id=ids.show(_PREFIX, one.declaration.id),
                subject=one.subject,
                kind=one.declaration.kind,
                title=one.declaration.said.title,
                happened_on=one.declaration.said.happened_on,
                document_no=one.declaration.said.document_no,
                evidence=one.declaration.said.evidence,
                state=one.declaration.state,
                answer_by=one.declaration.answer_by,
                lapse_on=one.declaration.lapse_on,
            )
            for one in found
        ]
    )


@post("/v1/source/declarations/{declaration_id:str}/answer", status_code=200, summary="Verify or not", tags=["source"])
async def answer(
    declaration_id: FromPath[str],
    data: JSONBody[Answer],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Answered:
    """Answer once. A yes comes with the record, which alone counts; 422 `bad_line` when it is not well-formed.

    Another source's declaration is absent; 409 `illegal_transition` when it was answered, withdrawn or has lapsed.
    """
    found = ids.read(_PREFIX, declaration_id)
    if data.verified:
        if data.record is None or data.reasons is not None:
            raise BadAnswer(errors=[FieldError("/record", "wanted", "A yes has a record, and no reasons.")])
        source = await door.source_of(house, caller)
        line = {name: value for name, value in msgspec.to_builtins(data.record).items() if value is not None}
        await verifying.verify(house.doors, source=source, declaration_id=found, line=line)
        return Answered(declaration_id, "verified")
    if data.reasons is None or data.record is not None:
        raise BadAnswer(errors=[FieldError("/reasons", "wanted", "A no has reasons, and no record.")])
    async with house.doors.work("scorer") as session:
        await verifying.refuse(session, house.ring, source=caller.client_id, declaration_id=found, reasons=data.reasons)
    return Answered(declaration_id, "refused")


@get("/v1/source/commitments", summary="Commitments to the caller", tags=["source"])
async def promised(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Client]
) -> Register:
    """What citizens promised to the caller. Each of them reads that it was seen."""
    found = await verifying.promised(session, house.ring, source=caller.client_id)
    return Register(
        [
            Promised(
                subject=one.subject,
                number=one.promise.terms.number,
                item=one.promise.item,
                version=one.promise.item_version,
                words=one.promise.terms.words,
                made_at=one.promise.made_at,
                due_on=one.promise.due_on,
            )
            for one in found
        ]
    )


handlers = [door.behind([asked, answer, promised])]

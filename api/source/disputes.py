"""`/v1/source/disputes`: what people object to a source's own records, and its answer within two working days.

A source reads which record, the reason, words and evidence, and never who objects. Whatever is not its own, not
forwarded yet or over is absent. The points have moved before the answer.
"""

from datetime import date
from typing import Annotated, Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.deps import House
from api.source import door
from api.source.records import Ref, Taken
from core import clock, ids
from core.errors import FieldError, Invalid
from scoring import rulebook, sources
from scoring.rights import marks, objections, verdicts
from scoring.rights.disputing import Reason
from scoring.rights.marks import Mark, Matter
from scoring.rights.verdicts import Outcome


class Item(msgspec.Struct, frozen=True):
    """One dispute: the record by the source's own ref and version, and what is objected; answer by `due_on`."""

    id: str
    ref: str
    version: int
    reason: Reason
    words: str
    evidence: str
    state: str
    due_on: date
    overdue: bool


class Items(msgspec.Struct, frozen=True):
    """What waits for an answer, the most urgent first."""

    items: list[Item]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the source found. `correction`: members to change, as in `/v1/source/records/correct`, with `upheld` alone.

    Upheld without a correction, the record is taken away.
    """

    outcome: Outcome
    reasons: Annotated[str, Meta(min_length=1, max_length=2000)]
    correction: dict[str, Any] | None = None


class Pending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is pending about the basis of a deduction, since when, and its file number; `matter` none takes it off."""

    ref: Ref
    matter: Matter | None
    since: date | None = None
    evidence: Annotated[str, Meta(max_length=200)] = ""


class BadCorrection(Invalid):
    """The correction cannot be used; `errors` says why."""

    code = "bad_line"
    title = "The correction is not well-formed"


@get("/v1/source/disputes", summary="Disputes that wait for an answer", tags=["source"])
async def waiting(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Client]
) -> Items:
    """What is objected to the caller's records. Whom it concerns reads when it was first looked at."""
    found = await objections.told(session, house.ring, token=caller.jti_hash)
    today = clock.today()
    return Items(
        [
            Item(
                ids.show(verdicts.PREFIX, one.id), one.ref, one.version, msgspec.convert(one.reason, Reason),
                one.said.words, one.said.evidence, one.state, one.due_on, one.due_on < today,
            )
            for one, _ in found
        ]
    )  # fmt: skip


@post("/v1/source/disputes/{dispute_id:str}/answer", status_code=202, summary="Answer a dispute", tags=["source"])
async def answer(
    dispute_id: FromPath[str],
    data: JSONBody[Answer],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Response[Taken]:
    """Answer once, with reasons that the citizen reads. Rejected, a deduction counts again from today."""
    who, read = caller.jti_hash, ids.read(verdicts.PREFIX, dispute_id)
    async with house.doors.work("scorer") as session:
        told = await verdicts.answerable(session, house.ring, token=who, dispute_id=read)
    if data.correction is not None:  # first, so that what is cut off is answered again and nothing counts wrongly
        await _correct(house, caller, told.ref, data)
    async with house.doors.work("scorer") as session:
        await verdicts.answer(
            session, house.ring, token=who, dispute_id=read, outcome=data.outcome, reasons=data.reasons,
            corrects=None if data.correction is None else told.version,
        )  # fmt: skip
    return Response(Taken(), status_code=202)


@post("/v1/source/records/pending", status_code=202, summary="Mark a pending review", tags=["source"])
async def pending(
    data: JSONBody[Pending],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Response[Taken]:
    """Say that a lawsuit or reconsideration about a deduction is pending, or over (SZX article 43).

    The deduction does not count meanwhile; the answer is always the same.
    """
    if data.matter is not None and not data.evidence:
        raise Invalid(errors=[FieldError("/evidence", "missing", "Send the file number of the matter.")])
    mark = None if data.matter is None else Mark(data.matter, data.since or clock.today(), data.evidence)
    book = await rulebook.current(session, on=clock.today())
    await marks.by_source(session, house.ring, source=caller.client_id, ref=data.ref, mark=mark, book=book)
    return Response(Taken(), status_code=202)


async def _correct(house: House, caller: guards.Client, ref: str, data: Answer) -> None:
    """Push the corrected line of the disputed record. Raises BadCorrection."""
    if data.outcome != "upheld":
        raise BadCorrection(errors=[FieldError("/correction", "not_upheld", "Send a correction with `upheld` alone.")])
    if strange := {"ref", "subject", "id_number"} & set(data.correction or ()):
        advice = "The dispute says which record it is about; leave this member out."
        raise BadCorrection(errors=[FieldError(f"/correction/{min(strange)}", "unknown_field", advice)])
    source = await door.source_of(house, caller)
    given: dict[str, Any] = {**(data.correction or {}), "ref": ref}
    if (refusal := await sources.correct(house.doors, source=source, given=given)) is not None:
        raise BadCorrection(refusal.detail, errors=[FieldError("/correction", refusal.code, refusal.detail)])


handlers = [door.behind([waiting, answer, pending])]

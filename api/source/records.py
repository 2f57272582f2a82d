"""`POST /v1/source/records`, its three verbs, and a whole batch taken back. Answers disclose nobody.

A push is repeated by sending it again: (source, ref, version) makes that harmless, so an Idempotency-Key is not needed
there, nor for taking a batch back. The verbs take one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Annotated, Any

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.deps import House, HttpRequest
from api.source import door
from core import clock, idempotency, ids
from core.errors import FieldError, Invalid
from core.idempotency import Stored
from scoring import ending, ingest, rulebook, sources
from scoring.feeds import forms, withdrawing
from scoring.ingest import Receipt, Refusal
from scoring.rights import decisions

_ACCEPTED = b'{"status":"accepted"}'
_STATUS = 202

Ref = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
Words = Annotated[str, msgspec.Meta(max_length=200)]
Act = Callable[..., Awaitable[object]]


class Taken(msgspec.Struct, frozen=True):
    """The request was well-formed; it says nothing about whether the ref is known."""

    status: str = "accepted"


class Ending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """End what `ref` tells: take it back, or report it repaired.

    With `version`, only if the record is of that version or lower. `reason` is for your own log.
    """

    ref: Ref
    version: Version | None = None
    reason: Words | None = None


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The decision by which a deduction was repaired: its number, who decided, when. Its citizen reads it."""

    no: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    authority: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    decided_on: date


class Repairing(Ending, frozen=True, forbid_unknown_fields=True):
    """End a deduction that was repaired, with the decision if there is one on paper."""

    decision: Decision | None = None


class BadLine(Invalid):
    """A correction is not well-formed; `errors` holds the code of the line."""

    code = "bad_line"
    title = "The corrected line is not well-formed"


@dataclass
class Push(Operation):
    """The body of a push, which no type describes."""

    def __post_init__(self) -> None:
        """One string of lines."""
        self.request_body = RequestBody(
            content={
                door.NDJSON: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING)),
                door.CSV: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING)),
                door.PARQUET: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)),
            },
            required=True,
            description="One record a line, at most 100,000 lines of at most 64 KiB; gzip allowed. A table names its "
            "columns like the members of a line (`ref`, `fields.period`), or as the catalogue does in Chinese. "
            "CSV is UTF-8 or GB18030; Parquet holds at most 32 MiB.",
        )  # fmt: skip


@post(
    "/v1/source/records",
    status_code=200,
    summary="Push records",
    tags=["source"],
    request_max_body_size=None,
    operation_class=Push,
)
async def push(request: HttpRequest, house: NamedDependency[House], caller: NamedDependency[guards.Client]) -> Receipt:
    """Take a push; every line is judged by itself, and the points have moved before the answer."""
    form, charset = door.form(request)
    body = door.body(request)
    source = await door.source_of(house, caller)
    return await forms.receive(house.doors, source=source, body=body, form=form, charset=charset)


@post("/v1/source/records/revoke", status_code=_STATUS, summary="Revoke a record", tags=["source"])
async def revoke(
    data: JSONBody[Ending],
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Response[Taken]:
    """Take a record back; the points have moved before the answer, which is always the same."""
    return await _end(session, request, house, caller, data, ending.revoke)


@post("/v1/source/records/repair", status_code=_STATUS, summary="Report a repair", tags=["source"])
async def repair(
    data: JSONBody[Repairing],
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Response[Taken]:
    """End a deduction; the points have moved before the answer, which is always the same."""
    told = data.decision and decisions.Decision(data.decision.no, data.decision.authority, data.decision.decided_on)
    return await _end(session, request, house, caller, data, partial(decisions.repair, decision=told))


async def _end(
    session: AsyncSession, request: HttpRequest, house: House, caller: guards.Client, data: Ending, act: Act
) -> Response[Taken]:
    """End a record by `act`, once for an Idempotency-Key."""
    key, replayed = await _begin(session, request, house, caller, msgspec.to_builtins(data))
    if not replayed:
        today = clock.today()
        book = await rulebook.current(session, on=today)
        who = caller.client_id
        await act(session, house.ring, source=who, ref=data.ref, version=data.version, book=book, as_of=today)
        await _keep(session, caller, key)
    return _taken(replayed=replayed)


@post(
    "/v1/source/records/correct",
    status_code=_STATUS,
    summary="Correct a record",
    tags=["source"],
    request_max_body_size=ingest.LONGEST_LINE,
)
async def correct(
    data: JSONBody[dict[str, Any]],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Response[Taken]:
    """Replace a record by a higher version: a whole line as in a push, or `ref` and the members that change.

    422 `bad_line` when what was sent is not well-formed by itself; otherwise the answer is always the same.
    """
    source = await door.source_of(house, caller)
    if (refusal := await sources.correct(house.doors, source=source, given=data)) is not None:
        raise _bad(refusal)
    return _taken(replayed=False)


@post(
    "/v1/source/batches/{batch_id:str}/withdraw",
    status_code=_STATUS,
    summary="Take a whole batch back",
    tags=["source"],
)
async def withdraw(
    batch_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Response[Taken]:
    """Take back all that a batch of yours said, as if it had never come; the points have moved before the answer.

    What a record said before counts again while the batch is at most 30 days old, else the record goes. Only higher
    versions than those of the batch change it again. Repeating changes nothing; the answer is always the same,
    and 404 for a batch that is not yours.
    """
    today = clock.today()
    book = await rulebook.current(session, on=today)
    identity, who = ids.read("ba", batch_id), caller.client_id
    await withdrawing.withdraw(session, house.ring, source=who, batch_id=identity, book=book, as_of=today)
    return _taken(replayed=False)


def _bad(refusal: Refusal) -> BadLine:
    return BadLine(refusal.detail, errors=[FieldError("", refusal.code, refusal.detail)])


def _taken(*, replayed: bool) -> Response[Taken]:
    """The one answer of the verbs."""
    headers = {"Idempotent-Replayed": "true"} if replayed else {}
    return Response(Taken(), status_code=_STATUS, headers=headers)


async def _begin(
    session: AsyncSession, request: HttpRequest, house: House, caller: guards.Client, given: dict[str, Any]
) -> tuple[str | None, bool]:
    """Open the request's Idempotency-Key, if it has one; says whether its effect is there already."""
    key = request.headers.get("idempotency-key")
    if key is None:
        return None, False
    stored = await idempotency.begin(
        session,
        caller=caller.client_id,
        key=key,
        route=request.scope["path_template"],
        given=given,
        secret=house.ring.derive("idempotency"),
    )
    return key, stored is not None


async def _keep(session: AsyncSession, caller: guards.Client, key: str | None) -> None:
    if key is not None:
        await idempotency.keep(session, caller=caller.client_id, key=key, stored=Stored(_STATUS, _ACCEPTED))


handlers = [door.behind([push, revoke, repair, correct, withdraw])]

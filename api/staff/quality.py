"""`/v1/staff/quality`: the board of what sources send, and a datum's way to its batch and line. Scope `staff:quality`.

Numbers alone, small cells hidden. Tracing one record is a look at somebody's data: it needs a purpose and a clerk, and
the person sees it.
"""

import uuid
from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import MediaType, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import House, HttpRequest
from api.pages import names
from api.pages import quality as page
from api.staff.clerks import ClerkNo, Purpose
from core import audit, clock, ids
from core.audit import Actor
from core.errors import NotFound
from scoring import holders, rulebook
from scoring.book.kinds import Quality
from scoring.feeds import quality
from scoring.feeds.quality import BatchView, SourceBoard

SCOPE = "staff:quality"


class Board(msgspec.Struct, frozen=True):
    """Every source; `rules` are the thresholds in force, from the published catalogue."""

    as_of: date
    days: int
    rules: Quality
    sources: list[SourceBoard]


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which record is traced, by which clerk, why. The person reads the purpose."""

    record: Annotated[str, msgspec.Meta(max_length=64)]
    clerk: ClerkNo
    purpose: Purpose


class TraceView(msgspec.Struct, frozen=True):
    """Where a record came from; `line` is the line of the source's own file, null for records older than this board."""

    record: str
    source: str
    ref: str
    version: int
    kind: str
    batch: str
    line: int | None
    dated_on: date | None
    received_at: datetime


@get("", summary="What sources send", tags=["staff"])
async def see(session: NamedDependency[AsyncSession], days: Annotated[int, QueryParameter(ge=1, le=400)] = 30) -> Board:
    """Volume, delay, refusals, repeats, corrections and what is strange, by source and kind."""
    today = clock.today()
    rules = (await rulebook.current(session, on=today)).catalogue.quality
    return Board(today, days, rules, await quality.board(session, today=today, days=days, rules=rules))


@get("/page", summary="What sources send, as a page", tags=["staff"], media_type=MediaType.HTML)
async def see_page(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    days: Annotated[int, QueryParameter(ge=1, le=400)] = 30,
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The same numbers with charts, for people; nothing can be changed here."""
    today = clock.today()
    catalogue = (await rulebook.current(session, on=today)).catalogue
    sources = await quality.board(session, today=today, days=days, rules=catalogue.quality)
    called = await names.organisations(session, [one.source for one in sources])
    return page.page(request, sources, as_of=today, days=days, catalogue=catalogue, names=called)


@get("/batches/{batch_id:str}", summary="One batch of a source", tags=["staff"])
async def batch(
    batch_id: FromPath[str], session: NamedDependency[AsyncSession], house: NamedDependency[House]
) -> BatchView:
    """How it came, what was refused, and what of it is held, as counts."""
    identity = ids.read("ba", batch_id)
    found = await quality.one_batch(session, batch_id=identity)
    async with house.doors.work("scorer") as scorer:
        return msgspec.structs.replace(found, held=await quality.held(scorer, batch_id=identity))


@post("/traces", status_code=200, summary="Trace a record to its batch", tags=["staff"])
async def trace(
    data: JSONBody[Question],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> TraceView:
    """The source, the batch and the line that a record came by; its person sees that somebody looked, and why."""
    identity = ids.read("rc", data.record)
    async with house.doors.work("scorer") as scorer:
        subject, found = await quality.trace(scorer, record_id=identity)
        owner = (await holders.owners(scorer, house.ring, record_subjects=[subject])).get(subject)
    if owner is None:
        raise NotFound
    await _note(session, caller, data, owner)
    return TraceView(
        data.record, found.source, found.ref, found.version, found.kind, ids.show("ba", found.batch_id), found.line,
        found.dated_on, found.received_at,
    )  # fmt: skip


async def _note(session: AsyncSession, caller: guards.Client, asked: Question, owner: uuid.UUID) -> None:
    await audit.write(
        session, actor=Actor("staff", caller.client_id), action="quality.trace", purpose=asked.purpose, outcome="done",
        owner=owner, detail={"clerk": asked.clerk, "record": asked.record},
    )  # fmt: skip


handlers = [
    Router(
        path="/v1/staff/quality",
        route_handlers=[see, see_page, batch, trace],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]

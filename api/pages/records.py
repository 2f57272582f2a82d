"""What is held: every record, grouped, with where it came from and since when (PIPL article 45).

A positive can be kept from counting and be let count again, as in `api.citizen.records`; every record can be objected
to (`api.pages.disputes`); a deduction has its way to repair beside it (`api.pages.repairs`).
"""

from collections import defaultdict
from collections.abc import Mapping

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import records as api
from api.citizen.records import Record
from api.deps import House, HttpRequest
from api.pages import disputes, frame, names, repairs, words
from api.pages.door import behind
from core import clock
from scoring import refusals, rulebook
from scoring.book.scorecard import Scorecard

_PAGE = 100


class Line(msgspec.Struct, frozen=True):
    """A record in words; `counts` names what is counted by it, empty when nothing is."""

    record: Record
    status: str
    document: str
    counts: str


class Group(msgspec.Struct, frozen=True):
    """The records of one kind."""

    name: str
    positive: bool
    lines: list[Line]


@get("/records")
async def records(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    cursor: FromQuery[str | None] = None,
) -> Response[str]:
    """The records by kind, the latest first; deductions before positives."""
    found: api.Records = await api.held.fn(session, house, caller, limit=_PAGE, cursor=cursor)
    return frame.member(
        request,
        "records.html",
        house,
        caller,
        groups=groups(found.records, _counted((await rulebook.current(session, on=clock.today())).scorecard)),
        count=len(found.records),
        named=await names.english(request, session),
        refused=await refusals.refused(session, citizen_id=caller.id),
        next_cursor=found.next_cursor,
        repair=await repairs.offer(session, house, caller),
        waits=repairs.waits,
        objection=await disputes.objections(session, house, caller),
    )


@post("/records/{record_id:str}/{act:str}", status_code=303)
async def hide(
    record_id: FromPath[str],
    act: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Redirect:
    """Keep a positive from counting (`hide`), or let it count again (`show`)."""
    verb = api.hide if act == "hide" else api.unhide
    await verb.fn(record_id, session, house, caller)
    return Redirect("/records", status_code=303)


def groups(found: list[Record], counted: Mapping[str, str]) -> list[Group]:
    """Records by the name of their kind, deductions first; `counted`: kind -> what is counted by it."""
    by_kind: dict[tuple[bool, str], list[Line]] = defaultdict(list)
    for one in found:
        paper = one.document or {}
        document = "，".join(str(paper[part]) for part in ("authority", "no") if paper.get(part))
        line = Line(one, words.status(one.status), document, counted.get(one.kind, ""))
        by_kind[one.positive, one.name].append(line)
    return [Group(name, positive, lines) for (positive, name), lines in sorted(by_kind.items(), key=lambda one: one[0])]


def _counted(card: Scorecard) -> dict[str, str]:
    """Kind -> the name of the indicator, deduction or hold that counts it."""
    lost = {one.kind: one.name for one in (*card.deductions, *card.holds)}
    return {kind: one.name for one in card.indicators() for kind in one.kinds} | lost


handlers = [behind([records, hide])]

"""`/v1/me/records`: what is held about the caller, and their say over it (SZX article 39, PIPL articles 45 and 47)."""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from api.citizen.me import page_size
from api.deps import House
from auth import clients
from core import ids
from scoring import records, refusals, statements
from scoring.records import Shown
from scoring.rights import marks
from scoring.rights.marks import MATTERS, Matter

_PAGE = 50


class Item(msgspec.Struct, frozen=True):
    """The entry of the national, provincial or municipal catalogue by which a record was taken (SH article 11)."""

    level: str
    id: str
    version: str


class Pending(msgspec.Struct, frozen=True):
    """A lawsuit or reconsideration about a deduction's basis (SZX article 43): it does not count meanwhile."""

    matter: Matter
    name: str
    since: date


class Record(msgspec.Struct, frozen=True):
    """One record; `label` says in one line what it is, `source` who sent it, `status` whether it counts.

    `statement` is what the caller says to it; `item` the catalogue entry in force when it was taken;
    `pending` what a court or a reconsideration still looks at.
    """

    id: str
    kind: str
    name: str
    label: str
    source: str
    positive: bool
    status: str
    hideable: bool
    occurred_on: date
    received_at: datetime
    item: Item | None
    from_on: date | None
    until_on: date | None
    fields: dict[str, Any]
    document: dict[str, Any] | None
    notice: dict[str, Any] | None
    repair: dict[str, Any] | None
    statement: str | None
    pending: Pending | None


class Say(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to say to a record."""

    words: Annotated[str, Meta(min_length=1, max_length=statements.LONGEST)]


class Records(msgspec.Struct, frozen=True):
    """A page, the latest day first, and the kinds that the caller refused."""

    records: list[Record]
    refused: list[str]
    next_cursor: str | None


class Refusal(msgspec.Struct, frozen=True):
    """A kind that is no longer taken, and how many records of it were erased now."""

    kind: str
    refused: bool
    erased: int


@get("/v1/me/records", summary="What is held about me", tags=["citizen"])
async def held(
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    limit: FromQuery[int] = _PAGE,
    cursor: FromQuery[str | None] = None,
    kind: FromQuery[str | None] = None,
) -> Records:
    """The caller's records with every field that their sources sent."""
    before = ids.read("rc", cursor) if cursor else None
    found = await records.of(
        session, house.ring, citizen_id=caller.id, limit=page_size(limit) + 1, before=before, kind=kind
    )
    shown = await _shown(session, found[:limit])
    refused = [one.kind for one in await refusals.refused(session, citizen_id=caller.id)]
    return Records(shown, refused, shown[-1].id if len(found) > limit else None)


@post("/v1/me/records/{record_id:str}/hide", status_code=200, summary="Do not count a positive", tags=["citizen"])
async def hide(
    record_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Record:
    """Stop a positive from counting; reversible. A deduction answers 409 `not_hideable`."""
    return await _hide(session, house, caller, record_id, hidden=True)


@delete("/v1/me/records/{record_id:str}/hide", status_code=200, summary="Count it again", tags=["citizen"])
async def unhide(
    record_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Record:
    """Let a hidden positive count again."""
    return await _hide(session, house, caller, record_id, hidden=False)


async def _hide(session: AsyncSession, house: House, caller: guards.Citizen, record_id: str, *, hidden: bool) -> Record:
    read = ids.read("rc", record_id)
    one = await records.hide(session, house.ring, citizen_id=caller.id, record_id=read, hidden=hidden)
    (shown,) = await _shown(session, [one])
    return shown


@post("/v1/me/records/{record_id:str}/statement", status_code=200, summary="Say something to it", tags=["citizen"])
async def state(
    record_id: FromPath[str],
    data: JSONBody[Say],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Record:
    """Keep the caller's words (at most 200 characters) beside a record, wherever it is shown. No point moves by it."""
    return await _state(session, house, caller, record_id, data.words)


@delete("/v1/me/records/{record_id:str}/statement", status_code=200, summary="Take the words back", tags=["citizen"])
async def unstate(
    record_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Record:
    """Erase the caller's words beside a record."""
    return await _state(session, house, caller, record_id, None)


async def _state(
    session: AsyncSession, house: House, caller: guards.Citizen, record_id: str, words: str | None
) -> Record:
    read = ids.read("rc", record_id)
    one = await records.state(session, house.ring, citizen_id=caller.id, record_id=read, words=words)
    (shown,) = await _shown(session, [one])
    return shown


@put("/v1/me/records/categories/{kind:str}/refusal", summary="Take no more of this kind", tags=["citizen"])
async def refuse(
    kind: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Refusal:
    """Erase the positives of a kind and take no more of them."""
    return Refusal(
        kind, refused=True, erased=await refusals.refuse(session, house.ring, citizen_id=caller.id, kind=kind)
    )


@delete(
    "/v1/me/records/categories/{kind:str}/refusal", status_code=200, summary="Take this kind again", tags=["citizen"]
)
async def allow(
    kind: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> Refusal:
    """Take a kind again from now on; what was erased does not come back by itself."""
    await refusals.allow(session, citizen_id=caller.id, kind=kind)
    return Refusal(kind, refused=False, erased=0)


async def _shown(session: AsyncSession, found: list[Shown]) -> list[Record]:
    names = await clients.names(session, {one.source for one in found})
    marked = await marks.beside(session, [one.id for one in found])
    return [_show(one, names, marked.get(one.id)) for one in found]


def _show(one: Shown, names: dict[str, str], mark: tuple[Matter, date] | None) -> Record:
    """A record in the words of its citizen; `names` are the sources' names."""
    return Record(
        id=ids.show("rc", one.id),
        kind=one.kind,
        name=one.name,
        label=one.label,
        source=names.get(one.source, one.source),
        positive=one.positive,
        status=one.status,
        hideable=one.hideable,
        occurred_on=one.occurred_on,
        received_at=one.received_at,
        item=Item(one.item.level, one.item.id, one.item.version) if one.item else None,
        from_on=one.from_on,
        until_on=one.until_on,
        fields=one.fields,
        document=one.document,
        notice=one.notice,
        repair=one.repair,
        statement=one.statement,
        pending=mark and Pending(mark[0], MATTERS[mark[0]], mark[1]),
    )


handlers = [behind([held, hide, unhide, state, unstate, refuse, allow])]

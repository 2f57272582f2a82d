"""`/v1/staff/audits` and `/v1/staff/audit-searches`: the log for those who audit the city. Scope `staff:audits`.

A quarter leaves as numbers, small cells hidden, signed; a search shows entries and never whose data it was.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import House
from api.staff.clerks import ClerkNo, ClerkQuery, Purpose, PurposeQuery
from auth import audits
from auth.audits import Head, Hit, Look, Wanted
from core import audit, clock, ids
from core.audit import Actor
from core.errors import Conflict, FieldError, Invalid, NotFound, TooMany
from core.signed import Signer
from core.smallcells import Shown, Table
from incentives.receipts import KID

SCOPE = "staff:audits"
TYPE = "audit-export+jwt"
LONGEST = timedelta(days=92)
SEARCHES_AN_HOUR = 60
_HOUR = 3600
_QUARTER = re.compile(r"(20[0-9]{2})-Q([1-4])")
_Instant = Annotated[datetime, Meta(tz=True)]


class QuarterRunning(Conflict):
    """The quarter is not over: two exports of a running one would tell what came in between."""

    code = "quarter_running"
    title = "The quarter is not over"


class Accesses(msgspec.Struct, frozen=True):
    """One cell. Where `suppressed`, it is about fewer than ten persons, or hides one that is; both numbers are null."""

    actor_kind: str
    purpose: str
    outcome: str
    accesses: int | None
    persons: int | None
    suppressed: bool


class Sum(msgspec.Struct, frozen=True):
    """A total; null where `suppressed`, since it would give a hidden cell away."""

    accesses: int | None
    suppressed: bool


class Export(msgspec.Struct, frozen=True):
    """A quarter [from, to) of the log. `acts`: what was done about nobody. `log`: its heads at begin and end.

    `statement` is the same as a JWS by the key `rcpt-1` of `/.well-known/jwks.json`.
    """

    quarter: str
    begin: datetime
    end: datetime
    accesses: list[Accesses]
    total: Sum
    denied: Sum
    acts: dict[str, int]
    log_begin: Head | None
    log_end: Head | None
    statement: str = ""


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_at": "from", "until_at": "to"}):
    """Who searches and why; which actor (a client's id) and act, or any; at most 92 days, at most 100 entries."""

    clerk: ClerkNo
    purpose: Purpose
    from_at: _Instant
    until_at: _Instant
    actor: Annotated[str, Meta(max_length=64)] | None = None
    action: Annotated[str, Meta(pattern=r"^[a-z_]+(\.[a-z_]+)?$", max_length=64)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class Found(msgspec.Struct, frozen=True):
    """An entry; `by` is null for a citizen or their relative, `clerk` where none was named."""

    id: str
    at: datetime
    by_kind: str
    by: str | None
    clerk: str | None
    action: str
    purpose: str
    outcome: str
    about_person: bool


class Results(msgspec.Struct, frozen=True):
    """Entries, newest first; `more`: there may be older ones, search again with `to` at the oldest."""

    entries: list[Found]
    more: bool


@get("/audits/{quarter:str}", summary="A quarter of the log in numbers", tags=["staff"])
async def export(
    quarter: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
    clerk: ClerkQuery,
    purpose: PurposeQuery,
) -> Export:
    """`2026-Q4`, once it is over; the export is an entry of the log itself."""
    begin, end = _bounds(quarter)
    counts = await audits.count(session, token=caller.jti_hash, begin=begin, end=end)
    cells = [_cell(one) for one in counts.accesses.cells]
    made = Export(
        quarter=quarter,
        begin=begin,
        end=end,
        accesses=cells,
        total=Sum(counts.accesses.total, counts.accesses.total is None),
        denied=_denied(counts.accesses),
        acts=counts.acts,
        log_begin=await audits.head_at(session, at=begin),
        log_end=await audits.head_at(session, at=end),
    )
    await _note(session, caller, "audit.export", purpose, {"clerk": clerk, "quarter": quarter})
    return msgspec.structs.replace(made, statement=_sign(house, made))


@post("/audit-searches", status_code=200, summary="Search the log", tags=["staff"])
async def search(
    data: JSONBody[Search],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
) -> Results:
    """Whoever an entry is about reads that it was found, by whom and why. 429 after 60 searches in an hour."""
    if not timedelta(0) < data.until_at - data.from_at <= LONGEST:
        raise Invalid(errors=[FieldError("/to", "out_of_range", "After `from`, by 92 days at the most.")])
    if await house.short.count(f"audit-search|{caller.client_id}", _HOUR) > SEARCHES_AN_HOUR:
        raise TooMany("Too many searches within the hour.", retry_after=_HOUR)
    wanted = Wanted(data.from_at, data.until_at, data.actor, data.action, data.limit)
    look = Look(caller.jti_hash, data.clerk, data.purpose)
    found = await audits.search(session, look=look, wanted=wanted)
    sought = {"actor": data.actor, "action": data.action, "from": data.from_at.isoformat()}
    sought |= {"to": data.until_at.isoformat(), "clerk": data.clerk}
    await _note(session, caller, "audit.search", data.purpose, {**sought, "entries": len(found)})
    return Results([_found(one) for one in found], len(found) == data.limit)


def _bounds(quarter: str) -> tuple[datetime, datetime]:
    """First instant, and first instant after it, in the city's zone. Raises NotFound, QuarterRunning."""
    named = _QUARTER.fullmatch(quarter)
    if named is None:
        raise NotFound("Name a quarter like 2026-Q4.")
    year, number = int(named[1]), int(named[2])
    begin = datetime(year, 3 * number - 2, 1, tzinfo=clock.CITY_ZONE)
    end = datetime(year + number // 4, 3 * number % 12 + 1, 1, tzinfo=clock.CITY_ZONE)
    if clock.civil() < end:
        detail = f"Ask again from {end.date()} on."
        raise QuarterRunning(detail)
    return begin.astimezone(UTC), end.astimezone(UTC)


def _denied(table: Table) -> Sum:
    """What was denied, from the shown cells alone."""
    cells = [one for one in table.cells if one.key[2] == "denied"]
    if any(one.suppressed for one in cells):
        return Sum(None, suppressed=True)
    return Sum(sum(one.accesses or 0 for one in cells), suppressed=False)


def _cell(one: Shown) -> Accesses:
    actor_kind, purpose, outcome = one.key
    return Accesses(actor_kind, purpose, outcome, one.accesses, one.persons, one.suppressed)


def _sign(house: House, made: Export) -> str:
    said = {name: value for name, value in msgspec.structs.asdict(made).items() if name != "statement"}
    issued = int(clock.wall().timestamp())
    return Signer(house.ring.ed25519(KID), TYPE).sign({"iss": house.settings.base_url, "iat": issued, **said})


def _found(one: Hit) -> Found:
    return Found(
        ids.show("ac", one.id), one.at, one.actor_kind, one.actor, one.clerk, one.action, one.purpose, one.outcome,
        one.about_person,
    )  # fmt: skip


async def _note(
    session: AsyncSession, caller: guards.Client, action: str, purpose: str, detail: dict[str, object]
) -> None:
    actor = Actor("staff", caller.client_id)
    await audit.write(session, actor=actor, action=action, purpose=purpose, outcome="done", detail=detail)


handlers = [
    Router(
        path="/v1/staff",
        route_handlers=[export, search],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]

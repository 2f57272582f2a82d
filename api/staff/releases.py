"""`/v1/staff/releases`: the rule book is drafted by one person of the credit office and approved by another."""

from datetime import date, datetime
from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import House
from api.staff import clerks, fitness, publication
from api.staff.clerks import ClerkNo
from core import clock, ids, releases
from core.errors import FieldError, Invalid
from core.releases import Release


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file to publish: `kind` scorecard, catalogue, perks, notice, recognition …; `name` the file's name.

    With `clerk` the drafter is that person of the office; without, the office's whole system is.
    """

    kind: str
    name: Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
    body: Annotated[str, Meta(min_length=1, max_length=500_000)]
    effective_on: date
    clerk: ClerkNo | None = None


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which clerk approves, having seen the report of which digest (needed where a rehearsal is)."""

    clerk: ClerkNo | None = None
    rehearsal: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")] | None = None


class Withdrawal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which clerk takes it back."""

    clerk: ClerkNo | None = None


class View(msgspec.Struct, frozen=True):
    """A release. `state`: draft, approved (its day has not come), in_force, past or withdrawn.

    `rehearsal` is the digest of the report that the approver named.
    """

    id: str
    kind: str
    name: str
    digest: str
    effective_on: date
    state: str
    drafted_by: str
    drafted_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    rehearsal: str | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None


class Whole(View, frozen=True):
    """A release with its text."""

    body: str


class Views(msgspec.Struct, frozen=True):
    """Releases, newest first; send `next_cursor` as `cursor` for the next page."""

    releases: list[View]
    next_cursor: str | None


@post("", summary="Draft a release", tags=["staff"])
async def draft(
    data: JSONBody[Draft], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Client]
) -> View:
    """Keep a draft after reading it with its own reader; 422 `policy_faulty` names every fault by line."""
    drafted = await publication.draft(
        session,
        kind=data.kind,
        name=data.name,
        body=data.body,
        effective_on=data.effective_on,
        by=clerks.of(caller, data.clerk),
    )
    return await _view(session, drafted)


@get("", summary="All releases", tags=["staff"])
async def see(
    session: NamedDependency[AsyncSession],
    kind: FromQuery[str | None] = None,
    limit: FromQuery[int] = 50,
    cursor: FromQuery[str | None] = None,
) -> Views:
    """Drafts and releases, newest first."""
    if not 1 <= limit <= 100:  # noqa: PLR2004  (published)
        raise Invalid("A page has 1 to 100 releases.", errors=[FieldError("/limit", "out_of_range", "Use 1 to 100.")])
    found = await releases.everything(session, kind=kind)
    if cursor is not None:
        before = ids.read("rl", cursor)
        found = [one for one in found if one.id < before]
    ruling = await _ruling(session)
    page = [_show(one, ruling) for one in found[:limit]]
    return Views(page, page[-1].id if len(found) > limit else None)


@get("/{release_id:str}", summary="One release with its text", tags=["staff"])
async def see_one(release_id: FromPath[str], session: NamedDependency[AsyncSession]) -> Whole:
    """One release, draft or not."""
    one = await releases.get(session, release_id=ids.read("rl", release_id))
    return Whole(**msgspec.structs.asdict(await _view(session, one)), body=one.body)


@post("/{release_id:str}/approve", status_code=200, summary="Approve a release", tags=["staff"])
async def approve(
    release_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
    data: JSONBody[Approval | None] = None,
) -> View:
    """Put a draft in force from its day, having seen its rehearsal.

    409 `second_person_needed` for the drafter, `assessment_missing`, `rehearsal_needed`, `rehearsal_stale`, `too_soon`.
    """
    said = data or Approval()
    identity = ids.read("rl", release_id)
    await publication.must_be_assessed(session, release_id=identity)
    await fitness.must_be_rehearsed(session, house, release_id=identity, named=said.rehearsal)
    approved = await publication.approve(
        session, release_id=identity, by=clerks.of(caller, said.clerk), rehearsal=said.rehearsal
    )
    return await _view(session, approved)


@post("/{release_id:str}/withdraw", status_code=200, summary="Withdraw a release", tags=["staff"])
async def withdraw(
    release_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
    data: JSONBody[Withdrawal | None] = None,
) -> View:
    """Take back a draft, or an approved release before its day: 409 `illegal_transition` once it rules."""
    by = clerks.of(caller, data.clerk if data else None)
    return await _view(session, await publication.withdraw(session, release_id=ids.read("rl", release_id), by=by))


async def _view(session: AsyncSession, one: Release) -> View:
    return _show(one, await _ruling(session))


async def _ruling(session: AsyncSession) -> set[object]:
    return {one.id for one in await releases.in_force(session, on=clock.today())}


def _show(one: Release, ruling: set[object]) -> View:
    return View(
        id=ids.show("rl", one.id),
        kind=one.kind,
        name=one.name,
        digest=one.digest,
        effective_on=one.effective_on,
        state=releases.state(one, ruling=one.id in ruling),
        drafted_by=one.drafted_by,
        drafted_at=one.drafted_at,
        approved_by=one.approved_by,
        approved_at=one.approved_at,
        rehearsal=one.rehearsal,
        withdrawn_by=one.withdrawn_by,
        withdrawn_at=one.withdrawn_at,
    )


handlers = [
    Router(
        path="/v1/staff/releases",
        route_handlers=[draft, see, see_one, approve, withdraw],
        guards=[guards.client("staff", "staff:releases")],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]

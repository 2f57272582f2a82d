"""`/v1/staff/releases/{id}/rehearsals`: what a draft would change for everybody, before anybody may approve it.

The jobs do the work; who asked watches it here. The report comes as JSON, signed, and as a page.
"""

from datetime import date, datetime
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import House, HttpRequest
from api.pages import rehearsal as page
from api.releases import rehearsing
from api.staff.clerks import ClerkNo, of
from core import ids
from core.errors import Conflict
from scoring.rehearsal import desk
from scoring.rehearsal.desk import Rehearsal


class NotDone(Conflict):
    """There is no report yet."""

    code = "rehearsal_not_done"
    title = "The rehearsal is not over"


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which clerk asks."""

    clerk: ClerkNo | None = None


class View(msgspec.Struct, frozen=True):
    """A rehearsal. `state`: queued, running (`done` of `total` people), done, failed.

    `digest` is of the rehearsed bytes, `against` of the rule book beside them. An approval names `report_digest`;
    `statement` signs it, as a JWS by the key `rcpt-1`. `figures_of`: whose numbers the report has, if not its own.
    """

    id: str
    release: str
    state: str
    done: int
    total: int
    digest: str
    against: str
    effective_on: date
    asked_by: str
    asked_at: datetime
    made_at: datetime | None
    figures_of: str | None
    report_digest: str | None
    statement: str | None


class Views(msgspec.Struct, frozen=True):
    """Rehearsals, newest first."""

    rehearsals: list[View]


class Whole(View, frozen=True):
    """A rehearsal with its report, null while there is none; see docs/releases.md."""

    report: dict[str, Any] | None


@post("/releases/{release_id:str}/rehearsals", status_code=202, summary="Rehearse a draft", tags=["staff"])
async def ask(
    release_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
    data: JSONBody[Ask | None] = None,
) -> View:
    """Queue it; the same within its days is the same one. 429 after 20 within 30 days."""
    by = of(caller, data.clerk if data else None)
    return show(await rehearsing.ask(session, house, release_id=ids.read("rl", release_id), by=by))


@get("/releases/{release_id:str}/rehearsals", summary="Rehearsals of a release", tags=["staff"])
async def see(release_id: FromPath[str], session: NamedDependency[AsyncSession]) -> Views:
    """Newest first."""
    found = await desk.of_release(session, release_id=ids.read("rl", release_id))
    return Views([show(one) for one in found])


@get("/rehearsals/{rehearsal_id:str}", summary="One rehearsal with its report", tags=["staff"])
async def see_one(rehearsal_id: FromPath[str], session: NamedDependency[AsyncSession]) -> Whole:
    """How far it is, and what came out."""
    one = await desk.get(session, rehearsal_id=ids.read("rh", rehearsal_id))
    return Whole(**msgspec.structs.asdict(show(one)), report=rehearsing.seen(one))


@get("/rehearsals/{rehearsal_id:str}/page", summary="A rehearsal's report as a page", tags=["staff"])
async def see_page(
    request: HttpRequest,
    rehearsal_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The same numbers with charts, for people; 409 `rehearsal_not_done` before."""
    one = await desk.get(session, rehearsal_id=ids.read("rh", rehearsal_id))
    if one.report is None:
        raise NotDone("Look again when `state` is done.")
    return page.page(request, one)


def show(one: Rehearsal) -> View:
    """A rehearsal as staff see it."""
    return View(
        id=ids.show("rh", one.id), release=ids.show("rl", one.release_id), state=one.state, done=one.done,
        total=one.total, digest=one.digest, against=one.against, effective_on=one.effective_on, asked_by=one.asked_by,
        asked_at=one.asked_at, made_at=one.made_at, report_digest=one.report_digest, statement=one.statement,
        figures_of=None if one.figures_of is None else ids.show("rh", one.figures_of),
    )  # fmt: skip


handlers = [
    Router(
        path="/v1/staff",
        route_handlers=[ask, see, see_one, see_page],
        guards=[guards.client("staff", "staff:releases")],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]

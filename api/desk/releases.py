"""`/desk/releases`: the rule book's drafts, their rehearsals with charts, and the approval by a second person.

Approving is asked of a clerk who logged in within ten minutes and who has the rehearsal's report before them: the form
stands under the report and names its digest. Drafting is next door (`api.desk.drafting`).
"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, seated, workpages
from api.deps import HttpRequest
from api.desk import frame
from api.pages import rehearsal as report_page
from api.pages.frame import teller
from api.releases import drafts
from api.seated import Seated
from api.staff import rehearsals, releases
from api.staff.releases import Approval
from core import ids
from core import releases as book
from scoring.rehearsal import desk

KINDS = {
    "scorecard": "评分规则", "catalogue": "信息目录", "perks": "便利", "notice": "告知书", "cases": "案例",
    "statutes": "法律依据", "repair": "信用修复规则", "promises": "申报与承诺规则", "disputes": "异议规则",
    "recognition": "城市互认规则",
}  # fmt: skip
STATES = {"draft": "草案", "approved": "已批准，未生效", "in_force": "现行", "past": "已失效", "withdrawn": "已撤回"}
RUNS = {"queued": "排队中", "running": "进行中", "done": "完成", "failed": "失败"}


@get("/desk/releases")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The newest hundred, what waits for somebody first."""
    found = (await releases.see.fn(session, limit=100)).releases
    waiting = [one for one in found if one.state in {"draft", "approved"}]
    ruling = [one for one in found if one.state == "in_force"]
    return frame.page(
        request, "releases.html", caller, waiting=waiting, ruling=ruling, kinds=KINDS, states=STATES
    )  # fmt: skip


@get("/desk/releases/{release_id:str}")
async def one(
    request: HttpRequest,
    release_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """One release: its text, its rehearsals, and what may be done with it by whom."""
    shown = await releases.see_one.fn(release_id, session)
    runs: list[rehearsals.View] = []
    if shown.kind in drafts.KINDS:
        runs = (await rehearsals.see.fn(release_id, session)).rehearsals
    under_way = any(each.state in {"queued", "running"} for each in runs)
    return frame.page(
        request, "release.html", caller, one=shown, runs=runs, kinds=KINDS, states=STATES, run_states=RUNS,
        rehearsable=shown.kind in drafts.KINDS, mine=book.same_person(shown.drafted_by, caller.by),
        under_way=under_way, headers={"Refresh": "5"} if under_way else None,
    )  # fmt: skip


@post("/desk/releases/{release_id:str}/rehearse", status_code=200)
async def rehearse(
    release_id: FromPath[str], request: HttpRequest, session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
) -> Response[Any]:  # fmt: skip
    """Queue a rehearsal."""
    await rehearsals.ask.fn(release_id, session, deps.house(request), caller)
    return _back(release_id)


@post("/desk/releases/{release_id:str}/approve", status_code=200)
async def approve(
    release_id: FromPath[str], request: HttpRequest, session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
) -> Response[Any]:  # fmt: skip
    """Put it in force from its day, as a second person."""
    seated.must_be_fresh(caller)
    said = await workpages.sent(request, Approval, clerk=frame.clerk(caller))
    await releases.approve.fn(release_id, session, deps.house(request), caller, said)
    return _back(release_id)


@post("/desk/releases/{release_id:str}/withdraw", status_code=200)
async def withdraw(
    release_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[Seated]
) -> Response[Any]:
    """Take back a draft, or an approved release before its day."""
    await releases.withdraw.fn(release_id, session, caller)
    return _back(release_id)


@get("/desk/rehearsals/{rehearsal_id:str}")
async def report(
    request: HttpRequest,
    rehearsal_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """A rehearsal's report with its charts, and under it the approval, for whoever did not draft."""
    run = await desk.get(session, rehearsal_id=ids.read("rh", rehearsal_id))
    if run.report is None:
        raise rehearsals.NotDone("Look again when it is done.")
    drafted = await releases.see_one.fn(ids.show("rl", run.release_id), session)
    mine = book.same_person(drafted.drafted_by, caller.by)
    told = report_page.told(run, teller(request, {}))
    return frame.page(request, "rehearsal.html", caller, release=drafted, mine=mine, **told)


def _back(release_id: str) -> Response[Any]:
    return Redirect(f"/desk/releases/{release_id}", status_code=303)


handlers = [
    workpages.behind([see, one, rehearse, approve, withdraw, report], role="staff", scope=frame.RELEASES, door="staff")
]

"""`/desk/partners` and `/desk/assessments`: who is connected, what waits for a second person, and what was weighed.

Approving and deciding are a second person's, who logged in within ten minutes; shutting a client out is anybody's, at
once. Beside each change stands the assessment that it needs. What a client's keys are is asked for by its own system.
"""

from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, seated, workpages
from api.deps import HttpRequest
from api.desk import frame
from api.seated import Seated
from api.staff import assessments, clients
from api.staff.assessments import Decision, Draft
from core import clock, releases

ROLES = {"partner": "合作方", "source": "信息来源", "citycard": "市民卡运营方"}
CHANGES = {"register": "新登记", "keys": "换公钥", "enable": "重新启用", "address": "应答地址"}
SUBJECTS = {"partner": "合作方", "perk": "便利", "city": "全市评分", "processing": "处理活动"}
STATES = {"draft": "等待决定", "live": "有效", "rejected": "未通过", "lapsed": "已过期"}
_LONGEST = timedelta(days=3 * 365)


@get("/desk/partners")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """Everybody connected, and the changes that wait."""
    found = await clients.see.fn(session)
    waiting = [(one, releases.same_person(one.drafted_by, caller.by)) for one in found.waiting]
    live = {one.subject: one for one in await _all(session) if one.state == "live" and one.subject_kind == "partner"}
    return frame.page(
        request, "partners.html", caller, clients=found.clients, waiting=waiting, roles=ROLES, changes=CHANGES,
        assessed=live,
    )  # fmt: skip


@post("/desk/partners/changes/{change_id:str}/approve", status_code=200)
async def approve(
    change_id: FromPath[str], request: HttpRequest, session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
) -> Response[Any]:  # fmt: skip
    """Make a change, as a second person. A source's digest key is told once: here."""
    seated.must_be_fresh(caller)
    made = await clients.approve.fn(change_id, session, deps.house(request), caller)
    return frame.page(request, "approved.html", caller, one=made, changes=CHANGES)


@post("/desk/partners/{client_id:str}/disable", status_code=200)
async def disable(
    client_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[Seated]
) -> Response[Any]:
    """Shut a client out at once."""
    await clients.disable.fn(client_id, session, caller)
    return Redirect("/desk/partners", status_code=303)


@get("/desk/assessments")
async def weighed(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """What waits for a second person, what is live, and the form for another."""
    found = await _all(session)
    return frame.page(
        request, "assessments.html", caller, subjects=SUBJECTS, states=STATES, latest=clock.today() + _LONGEST,
        waiting=[(one, releases.same_person(one.drafted_by, caller.by)) for one in found if one.state == "draft"],
        decided=[one for one in found if one.state != "draft"], today=clock.today(),
    )  # fmt: skip


@post("/desk/assessments", status_code=200)
async def draft(
    request: HttpRequest, session: NamedDependency[AsyncSession], caller: NamedDependency[Seated]
) -> Response[Any]:
    """Draft an assessment."""
    await assessments.draft.fn(await workpages.sent(request, Draft), session, caller)
    return Redirect("/desk/assessments", status_code=303)


@post("/desk/assessments/{assessment_id:str}/decide", status_code=200)
async def decide(
    assessment_id: FromPath[str], request: HttpRequest, session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
) -> Response[Any]:  # fmt: skip
    """Decide as a second person."""
    seated.must_be_fresh(caller)
    said = await workpages.sent(request, Decision)
    await assessments.decide.fn(assessment_id, said, session, caller)
    return Redirect("/desk/assessments", status_code=303)


async def _all(session: AsyncSession) -> list[assessments.View]:
    return (await assessments.see.fn(session, limit=100)).assessments


handlers = [
    workpages.behind([see, approve, disable], role="staff", scope=frame.CLIENTS, door="staff"),
    workpages.behind([weighed, draft, decide], role="staff", scope=frame.ASSESSMENTS, door="staff"),
]

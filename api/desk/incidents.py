"""`/desk/incidents`: a breach from the moment it is known to its end, with the four hours of the report counted.

The desk reads numbers, never who. Opening needs the clerk; closing a second one, both as the login proved them.
"""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, problems, seated, workpages
from api.deps import HttpRequest
from api.desk import frame
from api.seated import Seated
from api.staff import incidents
from api.staff.incidents import Notice, Open, Step
from core import clock
from core.errors import FieldError, Invalid, NotFound

KINDS = {
    "eligibility": "能不能享受便利", "orders": "便利订单", "records": "信用记录", "identity": "身份信息",
    "matters": "复核、更正、异议等材料", "account": "本人页面",
}  # fmt: skip
STATES = {"opened": "已发现，未报告", "reported": "已报告，未告知", "notified": "已告知，未结束", "closed": "已结束"}


class Told(msgspec.Struct, frozen=True):
    """What the form sent; times are the city's, to the minute."""

    kinds: list[str]
    first: str
    last: str
    cause: str
    measures: str
    client_id: str | None = None


@get("/desk/incidents")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """All of them, newest first, and the form to open one."""
    found = (await incidents.see.fn(session)).incidents
    now = clock.civil().astimezone(clock.CITY_ZONE)
    return frame.page(request, "incidents.html", caller, found=found, kinds=KINDS, states=STATES, now=now)


@post("/desk/incidents", status_code=200)
async def open_one(
    request: HttpRequest, session: NamedDependency[AsyncSession], caller: NamedDependency[Seated]
) -> Response[Any]:
    """Open one: counted at once, from the log."""
    said = await workpages.sent(request, Told)
    body = {
        "clerk": frame.clerk(caller), "kinds": said.kinds, "from": _moment("/from", said.first),
        "to": _moment("/to", said.last), "cause": said.cause, "measures": said.measures,
        "client_id": said.client_id,
    }  # fmt: skip
    try:
        wanted = msgspec.convert(body, Open)
    except msgspec.ValidationError as error:
        raise problems.invalid(error) from error
    await incidents.open_one.fn(wanted, session, deps.house(request), caller)
    return Redirect("/desk/incidents", status_code=303)


@post("/desk/incidents/{incident_id:str}/{step:str}", status_code=200)
async def act(
    request: HttpRequest,
    incident_id: FromPath[str],
    step: FromPath[str],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
) -> Response[Any]:
    """Report, notify or close."""
    clerk = frame.clerk(caller)
    if step == "report":
        await incidents.report.fn(incident_id, Step(clerk), session, caller)
    elif step == "notify":
        seated.must_be_fresh(caller)
        said = await workpages.sent(request, Notice, clerk=clerk)
        await incidents.notify.fn(incident_id, said, session, deps.house(request), caller)
    elif step == "close":
        seated.must_be_fresh(caller)
        await incidents.close.fn(incident_id, Step(clerk), session, caller)
    else:
        raise NotFound
    return Redirect("/desk/incidents", status_code=303)


def _moment(pointer: str, said: str) -> datetime:
    """The city's time in a form's field, which browsers send without a zone. Raises Invalid."""
    try:
        return datetime.fromisoformat(said).replace(tzinfo=clock.CITY_ZONE)
    except ValueError as error:
        raise Invalid(errors=[FieldError(pointer, "not_a_time", "A day and a minute.")]) from error


handlers = [workpages.behind([see, open_one, act], role="staff", scope=frame.INCIDENTS, door="staff")]

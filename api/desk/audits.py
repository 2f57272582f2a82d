"""`/desk/audits`: searching the log, for a reason that whoever an entry is about reads beside it.

Nothing is searched before the clerk says why; what is found never says whose data it was.
"""

from datetime import date, datetime, time, timedelta

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, problems, workpages
from api.deps import HttpRequest
from api.desk import frame
from api.pages import acts, words
from api.pages.names import PURPOSES
from api.seated import Seated
from api.staff import audits
from api.staff.audits import Results, Search
from core import clock

_WEEK = timedelta(days=7)
WHO = {"citizen": "市民本人", "partner": "合作方", "source": "来源单位", "staff": "工作人员", "system": "系统"}


class Asked(msgspec.Struct, frozen=True):
    """What the form sent: whole days, both included, in the city's zone."""

    first: date
    last: date
    actor: str | None = None
    action: str | None = None


@get("/desk/audits")
async def ask(
    request: HttpRequest,
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The form; nothing is searched yet."""
    today = clock.today()
    return _page(request, caller, Asked(today - _WEEK, today))


@post("/desk/audits", status_code=200)
async def search(
    request: HttpRequest, session: NamedDependency[AsyncSession], caller: NamedDependency[Seated]
) -> Response[str]:
    """The newest hundred entries."""
    asked, why = await workpages.sent(request, Asked), await frame.purpose(request, frame.LOG_PURPOSES)
    said = {
        "clerk": frame.clerk(caller), "purpose": why, "from": _midnight(asked.first),
        "to": _midnight(asked.last + timedelta(days=1)), "actor": asked.actor, "action": asked.action, "limit": 100,
    }  # fmt: skip
    try:
        wanted = msgspec.convert(said, Search)
    except msgspec.ValidationError as error:
        raise problems.invalid(error) from error
    found = await audits.search.fn(wanted, session, deps.house(request), caller)
    return _page(request, caller, asked, why=why, found=found)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.CITY_ZONE)


def _page(
    request: HttpRequest, caller: Seated, asked: Asked, *, why: str = "", found: Results | None = None
) -> Response[str]:
    return frame.page(
        request, "audits.html", caller, asked=asked, why=why, found=found, who=WHO, act=words.act,
        purposes=[(one, PURPOSES[one]) for one in frame.LOG_PURPOSES], actions=sorted(acts.ACTS),
    )  # fmt: skip


handlers = [workpages.behind([ask, search], role="staff", scope=frame.AUDITS, door="staff")]

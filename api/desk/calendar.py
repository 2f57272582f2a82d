"""`/desk/calendar`: which years' working days are loaded from the State Council's notice, and loading another.

All clocks of the desk count by these. A year without its notice is counted by the statute and the week: its days are
marked provisional everywhere, and from the first of November the desk says that next year's is due.
"""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import workpages
from api.deps import HttpRequest
from api.desk import frame
from api.seated import Seated
from api.staff import workdays as api
from core import clock, workdays
from core.errors import FieldError, Invalid

_NOVEMBER = 11
_LONGEST = 20_000
_NOTICE = 100


class Year(msgspec.Struct, frozen=True):
    """A year, and by what it is counted; `edition` None: provisionally."""

    year: int
    edition: workdays.Edition | None


@get("/desk/calendar")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[Seated],
    done: FromQuery[int | None] = None,
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """Last year to the year after next, and the form."""
    today = clock.today()
    years = range(today.year - 1, today.year + 3)
    known = [Year(year, await workdays.loaded(session, year=year)) for year in years]
    lacks = known[2].edition is None and today.month >= _NOVEMBER
    return frame.page(request, "calendar.html", caller, years=known, lacks=lacks, next_year=today.year + 1, done=done)


@post("/desk/calendar", status_code=200)
async def load(
    request: HttpRequest, session: NamedDependency[AsyncSession], caller: NamedDependency[Seated]
) -> Response[Any]:
    """Load a year from the file of its notice; loading again is the next edition."""
    form = await request.form()
    notice, said = str(form.get("notice", "")).strip(), str(form.get("year", ""))
    if not (said.isascii() and said.isdigit()) or not 0 < len(notice) <= _NOTICE:
        raise Invalid(errors=[FieldError("/notice", "missing", "A year, and the number of the notice.")])
    sent = form.get("file")
    body = await sent.read() if isinstance(sent, UploadFile) else b""
    if len(body) > _LONGEST:
        raise Invalid(errors=[FieldError("/file", "too_long", "A year has 366 lines at most.")])
    edition = await api.take(session, year=int(said), notice=notice, body=body, by=caller.by)
    return Redirect(f"/desk/calendar?done={edition.year}", status_code=303)


handlers = [workpages.behind([see, load], role="staff", scope=frame.CALENDAR, door="staff")]

"""`/console/statements`: a finished day, signed, to keep: the same bytes as `GET /v1/partner/statements/{date}`."""

from datetime import timedelta
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from api import workpages
from api.console.frame import CHECK, page
from api.deps import HttpRequest
from api.partner import statements
from api.public.published import Press
from api.public.rules import provide_press
from api.seated import Seated
from core import clock

_DAYS = 31


@get("/console/statements")
async def see(
    request: HttpRequest,
    caller: NamedDependency[Seated],
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The last month's days."""
    today = clock.today()
    return page(request, "statements.html", caller, days=[today - timedelta(days=back) for back in range(1, _DAYS + 1)])


@get("/console/statements/{day:str}", dependencies={"press": Provide(provide_press)})
async def one(
    request: HttpRequest,
    day: FromPath[str],
    press: NamedDependency[Press],
    caller: NamedDependency[Seated],
    cursor: FromQuery[str | None] = None,
    orders_cursor: FromQuery[str | None] = None,
) -> Response[Any]:
    """The day as a file; a long one goes on at its `next_cursor`s, as in the API."""
    found = await statements.statement.fn(request, day, press, cursor=cursor, orders_cursor=orders_cursor)
    named = f"statement-{caller.client_id}-{statements.civil_day(day)}.json"
    found.headers["Content-Disposition"] = f'attachment; filename="{named}"'
    return found


handlers = [workpages.behind([see, one], role="partner", scope=CHECK)]

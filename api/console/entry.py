"""`/console`: opened once by a link, and then the first page: keys, perks, and the consoles that are open.

The link's secret stands behind `#`, so no server and no log is told; the page's form carries it. What a browser becomes
is said before the button is pressed, and a cookie of this browser alone is its key.
"""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.handlers import BaseRouteHandler
from litestar.response import Redirect

from api import cookies, deps, guards, workpages
from api.console.frame import page
from api.deps import Connection, HttpRequest
from api.pages import english, frame
from api.partner import consoles, perks
from api.seated import NobodySeated, Seated, seated
from auth import clients, seats
from core import clock, ids

_member = seated("partner")


async def _anyone(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let everybody in; the caller is None where nobody sits."""
    try:
        await _member(connection, handler)
    except NobodySeated:
        connection.scope["state"]["caller"] = None


@get(
    "/console",
    guards=[_anyone],
    dependencies={"caller": Provide(guards.provide_client)},
    exception_handlers={Exception: workpages.answer},
    include_in_schema=False,
)
async def see(request: HttpRequest, caller: NamedDependency[Seated | None]) -> Response[str]:
    """The first page; without a seat, where a link opens one."""
    if caller is None:
        return frame.page(request, "console/open.html", missed=False)
    async with deps.house(request).doors.claims("auth") as session:
        known = await clients.get(session, caller.client_id)
    keys = () if known is None else known.jwks
    offered = (await perks.see.fn(request)).perks
    named = await perks.english(request)
    return page(
        request, "home.html", caller, keys=keys, perks=offered, consoles=await consoles.of(request, caller),
        named={name: english.called(theirs) for name, theirs in named.items()},
    )  # fmt: skip


@post("/console/open", status_code=200, exception_handlers={Exception: workpages.answer}, include_in_schema=False)
async def open_it(request: HttpRequest) -> Response[Any]:
    """Use a link: this browser is a console from now on."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise cookies.ForeignRequest("Open the link itself.")
    house, form = deps.house(request), await request.form()
    async with house.doors.work("auth") as session:
        opened = await seats.open_by(session, secret=str(form.get("secret", "")).strip())
    if opened is None:
        return frame.page(request, "console/open.html", status=410, missed=True)
    left = int((opened.ends_at - clock.wall()).total_seconds())
    name = cookies.seat_name(house.settings, "partner")
    kept = cookies.cookie(house.settings, name, opened.session, max_age=left)
    return Redirect("/console", status_code=303, cookies=[kept])


@post("/console/leave", status_code=200)
async def leave(request: HttpRequest, caller: NamedDependency[Seated]) -> Response[Any]:
    """Give the console back: this browser can do nothing from now on."""
    house = deps.house(request)
    async with house.doors.work("auth") as session:
        await seats.end(session, seat_id=ids.read("se", caller.seat_id), client_id=caller.client_id)
    gone = cookies.cookie(house.settings, cookies.seat_name(house.settings, "partner"), "", max_age=0)
    return Redirect("/console", status_code=303, cookies=[gone])


@post("/console/end", status_code=200)
async def end(request: HttpRequest, caller: NamedDependency[Seated]) -> Response[Any]:
    """End another console of the partner's at once."""
    which = str((await request.form()).get("console", ""))[:64]
    async with deps.house(request).doors.work("auth") as session:
        await seats.end(session, seat_id=ids.read("se", which), client_id=caller.client_id)
    return Redirect("/console", status_code=303)


handlers = [see, open_it, workpages.behind([leave, end], role="partner")]

"""The door of the pages: who may see one, and what they see when something stops them.

A page is for a person with the session cookie; whoever has none goes to the login page and comes back. A token opens
no page, since a form needs the session's CSRF token. Any problem becomes a page that says what to do next, with the
status that the API gives.
"""

from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
from litestar import Response, Router
from litestar.di import Provide
from litestar.handlers import BaseRouteHandler
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from api import deps, guards, problems
from api.deps import Connection, HttpRequest
from api.identity import stepup
from api.pages import advice, frame
from core.db import Door
from core.errors import Invalid, Unauthenticated

T = TypeVar("T", bound=msgspec.Struct)


async def member(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let in citizens who came by the page's session cookie."""
    await guards.citizen(connection, handler)
    if connection.scope["state"]["caller"].csrf is None:
        raise Unauthenticated


async def anyone(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let everybody in; the caller is None without a session."""
    try:
        await member(connection, handler)
    except Unauthenticated:
        connection.scope["state"]["caller"] = None


async def sent(request: HttpRequest, shape: type[T]) -> T:
    """What a form sent, as the body of the API's own call; a field left empty is left out. Raises Invalid."""
    form = await request.form()
    given = {name: form.get(name) for name in shape.__struct_fields__ if form.get(name)}
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid from error


def answer(request: HttpRequest, error: Exception) -> Response[Any]:
    """Answer a page's exception: to the login page, or with a page of advice."""
    said, problem = problems.answer(request, error), problems.translate(error)
    if isinstance(problem, stepup.StaleLogin) and request.method == "GET":
        return Redirect(stepup.address(_back(request)), status_code=303)
    if isinstance(problem, stepup.StaleLogin):
        return Redirect(str(problem.more.get("login", "/")), status_code=303)
    if isinstance(problem, Unauthenticated):
        return Redirect(f"/login?return_to={quote(_back(request), safe='')}", status_code=303)
    state = request.scope["state"]
    return frame.page(
        request,
        "problem.html",
        status=problem.status,
        request_id=str(state.get("request_id", "")),
        csrf=getattr(state.get("caller"), "csrf", None),
        contact=deps.house(request).settings.contact,
        advice=advice.on(problem.code),
        headers={name: value for name, value in said.headers.items() if name.lower() == "retry-after"},
    )


def _back(request: HttpRequest) -> str:
    """Where to come back to after logging in: this page, or the first one when a form was on its way."""
    if request.method != "GET":
        return "/"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def behind(
    handlers: Sequence[ControllerRouterHandler], *, guard: guards.Guard = member, door: Door = "citizen"
) -> Router:
    """The page handlers, with `session` on the citizen's door, or another, and `caller` given."""
    return Router(
        path="/",
        route_handlers=handlers,
        guards=[guard],
        dependencies={"session": Provide(deps.work(door)), "caller": Provide(guards.provide_citizen)},
        exception_handlers={Exception: answer},
        include_in_schema=False,
    )

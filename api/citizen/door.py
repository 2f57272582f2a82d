"""The citizen's door: every handler behind it has a citizen as caller and a work session of the citizen role.

What is about proving who somebody is (cards, relatives) works on the auth door instead, for the same callers.
"""

from collections.abc import Sequence

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from api import deps, guards
from api.deps import HttpRequest
from api.problems import UnsupportedMediaType
from core.db import Door


def behind(handlers: Sequence[ControllerRouterHandler], *, door: Door = "citizen") -> Router:
    """The handlers, open to a citizen by session cookie or token, with `session` and `caller` given."""
    return Router(
        path="/",
        route_handlers=handlers,
        guards=[guards.citizen],
        dependencies={"session": Provide(deps.work(door)), "caller": Provide(guards.provide_citizen)},
    )


def must_be_json(request: HttpRequest) -> None:
    """For a body whose every member may be left out, so that any bytes might do. Raises UnsupportedMediaType."""
    if request.content_type[0] not in {"", "application/json"}:
        raise UnsupportedMediaType("Send application/json.")

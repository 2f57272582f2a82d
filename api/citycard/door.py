"""The city card's door: operators with the scope `citycard`, and a pool that has functions and no table."""

from collections.abc import Sequence

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from api import deps, guards
from api.deps import HttpRequest
from incentives.citycard.entrance import Entrance

SCOPE = "citycard"


async def provide_entrance(request: HttpRequest) -> Entrance:
    """Dependency `entrance`: the door's gate functions."""
    return Entrance(await deps.house(request).doors.pool("citycard"))


def behind(handlers: Sequence[ControllerRouterHandler]) -> Router:
    """The handlers, open to city-card operators, with `entrance` and `caller` given."""
    return Router(
        path="/",
        route_handlers=handlers,
        guards=[guards.client("citycard", SCOPE)],
        dependencies={"entrance": Provide(provide_entrance), "caller": Provide(guards.provide_client)},
    )

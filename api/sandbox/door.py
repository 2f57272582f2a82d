"""The sandbox's door: partners, with the tokens that they use anyway."""

from collections.abc import Sequence

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from api import guards

MARK = "sandbox"


def behind(handlers: Sequence[ControllerRouterHandler]) -> Router:
    """The handlers, open to partners, with `caller` given."""
    return Router(
        path="/",
        route_handlers=handlers,
        guards=[guards.client("partner", "eligibility:check")],
        dependencies={"caller": Provide(guards.provide_client)},
        tags=[MARK],
    )

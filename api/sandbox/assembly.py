"""What a sandbox adds to the assembly: its routes and the faults that partners order for themselves.

Promises: a deployment whose settings do not say sandbox has none of this: its addresses are absent, not refused.
"""

from collections.abc import Awaitable, Callable, Sequence

from litestar.types import ControllerRouterHandler, Message, Scope

from api.deps import HttpRequest
from api.sandbox import clock, codes, faults, neighbour, orders, selfcheck
from core.settings import Settings

_MODULES = (clock, codes, faults, neighbour, orders, selfcheck)


def handlers_for(settings: Settings) -> Sequence[ControllerRouterHandler]:
    """The routes of a sandbox; none for a real city."""
    return [handler for module in _MODULES for handler in module.handlers] if settings.sandbox else ()


def before_request(settings: Settings) -> Callable[[HttpRequest], Awaitable[None]] | None:
    """What a request goes through before its handler."""
    return faults.before if settings.sandbox else None


def before_send(settings: Settings) -> list[Callable[[Message, Scope], Awaitable[None]]]:
    """What an answer goes through besides, after the commit."""
    return [faults.sent] if settings.sandbox else []

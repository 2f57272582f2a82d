"""What a sandbox adds to the assembly: its routes and the faults that partners order for themselves.

Promises: a deployment whose settings do not say sandbox has none of this: its addresses are absent, not refused.
"""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from api.sandbox import clock
from core.settings import Settings

_MODULES = (clock,)


def handlers_for(settings: Settings) -> Sequence[ControllerRouterHandler]:
    """The routes of a sandbox; none for a real city."""
    return [handler for module in _MODULES for handler in module.handlers] if settings.sandbox else ()

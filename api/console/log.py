"""`/console/log`: what the partner asked within a day and what it was answered, and its orders as they stand.

Only what stood in the answers: no holder, no personal cause. Requests that were refused before anything was decided are
not here; the partner's own log has them, and our support finds them by `X-Request-Id`.
"""

from datetime import timedelta

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from api import guards, workpages
from api.console.frame import CHECK, ORDERS, page
from api.deps import HttpRequest
from api.partner import desk, orders
from api.seated import Seated
from core import clock, ids
from incentives import checklog
from incentives.checklog import Check
from incentives.eligibility import TokenDead

_SHOWN = 100
_HOURS = (1, 6, 24)


@get("/console/log")
async def see(
    request: HttpRequest,
    caller: NamedDependency[Seated],
    hours: FromQuery[int] = 1,
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The newest hundred of each."""
    since = clock.wall() - timedelta(hours=hours if hours in _HOURS else 1)
    try:
        found = await checklog.latest((await desk.of(request)).gate, token=caller.jti_hash, since=since, most=_SHOWN)
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    kept = (await orders.find.fn(request, limit=_SHOWN)).orders if ORDERS in caller.scopes else None
    return page(
        request, "log.html", caller, checks=[(_shown(one), one) for one in found], orders=kept, hours=hours,
        choices=_HOURS, most=_SHOWN,
    )  # fmt: skip


def _shown(one: Check) -> str:
    return ids.show("dc", one.id)


handlers = [workpages.behind([see], role="partner", scope=CHECK)]

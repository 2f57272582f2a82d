"""`/console/webhooks`: where events go, what became of each, a test, and sending again.

Nothing else can be changed here: addresses and secrets are the partner's system's, so that a browser never sees a
secret. What a receiver answered is its status alone.
"""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect

from api import workpages
from api.console.frame import ORDERS, page
from api.deps import HttpRequest
from api.partner import webhooks
from api.partner.webhooks import Deliveries, Replay, View
from api.seated import Seated
from core.errors import NotFound

_SHOWN = 50
STATES = {
    "waiting": "等待发送", "delivered": "已送达", "exhausted": "多次失败，不再发", "parked": "暂存",
    "disabled": "地址已停用",
}  # fmt: skip
OUTCOMES = {
    "delivered": "送达", "status": "状态码不是2xx", "redirect": "跳转不跟随", "gone": "410，地址停用",
    "no_answer": "没有应答", "bad_address": "地址不可用",
}  # fmt: skip


class Hook(msgspec.Struct, frozen=True):
    """One address and the newest deliveries to it."""

    view: View
    found: Deliveries


@get("/console/webhooks")
async def see(
    request: HttpRequest,
    caller: NamedDependency[Seated],
    done: FromQuery[str | None] = None,
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """Every address with its newest deliveries."""
    hooks = [
        Hook(one, await webhooks.deliveries.fn(request, one.id, limit=_SHOWN))
        for one in (await webhooks.listed.fn(request)).webhooks
    ]
    return page(request, "webhooks.html", caller, hooks=hooks, states=STATES, outcomes=OUTCOMES, done=done)


@post("/console/webhooks/test", status_code=200)
async def test(request: HttpRequest, caller: NamedDependency[Seated]) -> Response[Any]:
    """Send a test event."""
    _ = caller
    await webhooks.test.fn(request, await _which(request))
    return Redirect("/console/webhooks?done=test", status_code=303)


@post("/console/webhooks/replay", status_code=200)
async def replay(request: HttpRequest, caller: NamedDependency[Seated]) -> Response[Any]:
    """Send one event again."""
    _ = caller
    event = str((await request.form()).get("event", ""))[:64]
    await webhooks.replay.fn(Replay(event_id=event), request, await _which(request))
    return Redirect("/console/webhooks?done=replay", status_code=303)


async def _which(request: HttpRequest) -> str:
    if not (found := (await request.form()).get("webhook")):
        raise NotFound
    return str(found)[:64]


handlers = [workpages.behind([see, test, replay], role="partner", scope=ORDERS)]

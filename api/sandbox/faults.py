"""`/v1/sandbox/faults`: what goes wrong with a partner's own next requests or webhooks, because it asked for that.

Promises: a fault is the caller's alone, strikes as often as ordered and is gone after ten minutes; where it says after
commit, the effect is there before the answer is lost, so a repeat with the same Idempotency-Key gets the first answer.
The sandbox's own addresses have no faults. The list of events stays true: faults are of the delivery.
"""

import asyncio
from typing import Annotated, Any, Literal, cast

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.types import Message, Scope
from msgspec import Meta

from api.deps import House, HttpRequest
from api.deps import house as house_of
from api.guards import Client
from api.sandbox.door import behind
from core.errors import Unavailable
from core.shortlived import Store

_TTL = 600
_RETRY_AFTER = 2
OfRequests = Literal["unavailable", "slow", "timeout_after_commit", "lost_after_commit"]
OfWebhooks = Literal["duplicate_delivery", "reordered_delivery", "slow_delivery"]
_SECONDS = {"slow": 5, "timeout_after_commit": 30, "slow_delivery": 10}
Where = Literal["requests", "webhooks"]
_LOST = (
    b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway: a fault that you ordered</body></html>"
)


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault of the next `times` requests or webhooks; `seconds`: how long slow and timeout hold them back.

    `unavailable`: 503 with Retry-After, nothing done. `slow`: held back, then done. `timeout_after_commit`: done, the
    answer held back. `lost_after_commit`: done, a 502 in place of the answer. `duplicate_delivery`: sent twice, same
    webhook-id. `reordered_delivery`: sent after the one that follows it. `slow_delivery`: sent late.
    """

    fault: OfRequests | OfWebhooks
    times: Annotated[int, Meta(ge=1, le=20)] = 1
    seconds: Annotated[int, Meta(ge=1, le=60)] | None = None

    def held(self) -> int:
        """For how many seconds it holds back."""
        return self.seconds or _SECONDS.get(self.fault, 0)


class Faults(msgspec.Struct, frozen=True):
    """What is still to go wrong; null where nothing is."""

    requests: Fault | None
    webhooks: Fault | None


@get("/v1/sandbox/faults", summary="What is still to go wrong")
async def see(house: NamedDependency[House], caller: NamedDependency[Client]) -> Faults:
    """The caller's faults that have not struck yet."""
    return Faults(*[_read(await house.short.peek(_key(caller.client_id, one))) for one in ("requests", "webhooks")])


@post("/v1/sandbox/faults", status_code=200, summary="Let the next requests or webhooks go wrong")
async def order(data: JSONBody[Fault], house: NamedDependency[House], caller: NamedDependency[Client]) -> Faults:
    """Order a fault; it takes the place of an earlier one of its kind (requests or webhooks)."""
    where: Where = "webhooks" if data.fault.endswith("_delivery") else "requests"
    await house.short.put(_key(caller.client_id, where), msgspec.json.encode(data), _TTL)
    return await see.fn(house, caller)


@delete("/v1/sandbox/faults", status_code=204, summary="Let everything go well again")
async def clear(house: NamedDependency[House], caller: NamedDependency[Client]) -> None:
    """Forget the caller's faults."""
    for where in ("requests", "webhooks"):
        await house.short.take(_key(caller.client_id, where))


async def strike(short: Store, partner_id: str, where: Where) -> Fault | None:
    """The fault that strikes now, counted; of racing requests each has at most one."""
    key = _key(partner_id, where)
    if await short.peek(key) is None:
        return None
    fault = _read(await short.take(key))
    if fault is not None and fault.times > 1:
        await short.put(key, msgspec.json.encode(msgspec.structs.replace(fault, times=fault.times - 1)), _TTL)
    return fault


async def before(request: HttpRequest) -> None:
    """A `before_request` hook: what goes wrong before the handler. Raises Unavailable."""
    caller = request.scope["state"].get("caller")
    if not isinstance(caller, Client) or not request.url.path.startswith("/v1/partner/"):
        return
    fault = await strike(house_of(request).short, caller.client_id, "requests")
    if fault is None:
        return
    if fault.fault == "unavailable":
        raise Unavailable("A fault that you ordered: nothing was done.", retry_after=_RETRY_AFTER)
    if fault.fault == "slow":
        await asyncio.sleep(fault.held())
    else:
        request.scope["state"]["fault"] = fault


async def sent(message: Message, scope: Scope) -> None:
    """A `before_send` hook, after the commit: what goes wrong with the answer."""
    fault: Fault | None = cast("dict[str, Any]", scope).get("state", {}).get("fault")
    if fault is None:
        return
    if fault.fault == "timeout_after_commit":
        if message["type"] == "http.response.start":
            await asyncio.sleep(fault.held())
        return
    if message["type"] == "http.response.start":
        message["status"] = 502
        length = str(len(_LOST)).encode()
        message["headers"] = [(b"content-type", b"text/html"), (b"content-length", length)]
    elif message["type"] == "http.response.body":
        message["body"] = b"" if scope["state"].get("lost") else _LOST
        message["more_body"] = message.get("more_body", False)
        scope["state"]["lost"] = True


def _key(partner_id: str, where: str) -> str:
    return f"fault|{partner_id}|{where}"


def _read(held: bytes | None) -> Fault | None:
    return None if held is None else msgspec.json.decode(held, type=Fault)


handlers = [behind([see, order, clear])]

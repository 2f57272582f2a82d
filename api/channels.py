"""`/v1/channels/{wechat|alipay}/notify`: where pay channels call back, and the worker's part in them.

The raw body is verified before a member of it is read. A callback is a hint: it wakes a query and says nothing itself,
so that a forged, repeated or late one can do no more than make us look.
"""

import hashlib
from dataclasses import dataclass

from litestar import Response, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from api import accounts, deps
from api.deps import House, HttpRequest
from api.formdocs import form
from core import clock
from core.errors import Malformed
from incentives.channels import alipay, hints, upkeep, wechat
from incentives.channels.hints import Hint

_PATH = "/v1/channels"


class BadNotice(Malformed):
    """Nobody signed this for an account that is configured here, or not just now."""

    code = "bad_notice"
    title = "This notice is not believed"


@dataclass
class Sealed(Operation):
    """An operation whose body is read byte by byte, before it is a JSON."""

    def __post_init__(self) -> None:
        """Say what comes."""
        kind = Schema(type=OpenAPIType.OBJECT, required=["event_type", "resource"])
        self.request_body = RequestBody(content={"application/json": OpenAPIMediaType(schema=kind)}, required=True)


@post(
    f"{_PATH}/wechat/notify", status_code=HTTP_204_NO_CONTENT, tags=["channels"],
    summary="WeChat Pay calls back", operation_class=Sealed, responses={204: ResponseSpec(None, description="Taken")},
)  # fmt: skip
async def of_wechat(request: HttpRequest) -> None:
    """A sealed notice with `Wechatpay-Signature`. The same bytes once more are refused, and so are WeChat's probes."""
    house, body = deps.house(request), await request.body()
    told = {name.lower(): value for name, value in request.headers.items()}
    hint = hints.of_wechat(accounts.known(house.settings.channels_file), told, body, now=clock.wall())
    if hint is None or not await _first(house, hint, wechat.FRESH_SECONDS * 2):
        raise BadNotice("Sign it with the platform key of a configured account, now.")
    await _wake(house, hint)


@post(
    f"{_PATH}/alipay/notify", status_code=HTTP_200_OK, media_type="text/plain", tags=["channels"],
    summary="Alipay calls back", operation_class=form("sign", "app_id", "notify_id", "notify_time", "notify_type"),
)  # fmt: skip
async def of_alipay(request: HttpRequest) -> Response[str]:
    """A signed form; the answer is the seven bytes that Alipay wants, for a notice that it tells again, too."""
    house, body = deps.house(request), await request.body()
    hint = hints.of_alipay(accounts.known(house.settings.channels_file), body, now=clock.wall())
    if hint is None:
        raise BadNotice("Sign it with the key of a configured account.")
    if await _first(house, hint, alipay.FRESH.total_seconds()):
        await _wake(house, hint)
    return Response("success", media_type="text/plain")


async def keep(house: House) -> None:
    """Part of the jobs' round: which perks have a channel, what was forgotten, what is old."""
    async with house.doors.work("jobs") as session:
        await upkeep.guarantee(session, accounts.known(house.settings.channels_file))
        await upkeep.mend(session)
        await upkeep.sweep(session)


async def _first(house: House, hint: Hint, seconds: float) -> bool:
    """Whether this notice comes for the first time."""
    digest = hashlib.sha256(hint.once.encode()).hexdigest()
    return await house.short.claim(f"notice:{hint.channel}:{digest}", seconds)


async def _wake(house: House, hint: Hint) -> None:
    async with house.doors.work("jobs") as session:
        await hints.wake(session, hint)


handlers = [of_wechat, of_alipay]

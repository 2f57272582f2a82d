"""`GET /v1/partner/orders/{order_id}/guarantee`: who guarantees an order's deposit, and what the payer does next."""

from litestar import get
from litestar.params import FromPath

from api import guards
from api.deps import HttpRequest
from api.partner import desk
from incentives.channels import guarantees
from incentives.channels.guarantees import Guarantee
from incentives.eligibility import TokenDead


@get(
    "/v1/partner/orders/{order_id:str}/guarantee",
    guards=[guards.partner_hot("orders:write")],
    summary="Who guarantees an order",
    tags=["partner"],
)
async def see(order_id: FromPath[str], request: HttpRequest) -> Guarantee:
    """`own` without a channel. With one: how far it is, and with what the payer's telephone goes on."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    try:
        return await guarantees.of(here.gate, token=caller.jti_hash, order_id=order_id)
    except TokenDead as dead:
        raise guards.invalid_token() from dead


handlers = [see]

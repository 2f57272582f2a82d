"""`POST /v1/partner/visits` and `…/orders/{order_id}/visit`: who comes with a ticket or pass, with a line or after it.

A gate that reads texts by itself (docs/gate/osmanthus_ticket.py) sends them when it has a line again; each visit has an
id of the gate's, so what was sent twice is counted once.
"""

from litestar import post
from litestar.params import FromPath, JSONBody
from litestar.types import ASGIApp
from msgspec import UNSET

from api import guards
from api.deps import HttpRequest
from api.partner import desk, orders
from api.partner.orderforms import Shown, Visit
from api.partner.orders import GUARDS, ROUTE, SHOWN, IdempotencyKey
from incentives import ticketcode
from incentives.eligibility import TokenDead
from incentives.orders import counter


@post(
    f"{ROUTE}/{{order_id:str}}/visit", status_code=200, guards=GUARDS, responses={200: SHOWN}, tags=["partner"],
    summary="Somebody came with a pass",
)  # fmt: skip
async def visit(
    order_id: FromPath[str], data: JSONBody[Visit], request: HttpRequest, idempotency_key: IdempotencyKey = None
) -> ASGIApp:
    """Count a visit, once for each `visit_id`. 409 `pass_spent`, `visit_elsewhere`."""
    return await orders.act(request, idempotency_key, order_id, "visit", orders.sent(data))


@post("/v1/partner/visits", status_code=200, guards=GUARDS, responses={200: SHOWN}, tags=["partner"],
      summary="Somebody showed a ticket or pass")  # fmt: skip
async def admit(data: JSONBody[Shown], request: HttpRequest) -> ASGIApp:
    """Let them in: a ticket is settled, of a pass the visit is counted, once for each `visit_id`.

    A gate that had no line sends `visited_at`, within three days. 404: no ticket of yours; 409
    `ticket_for_another_day`, `pass_spent`, or `illegal_transition`: it was used, changed or taken back.
    """
    here, caller = await desk.of(request), await guards.provide_client(request)
    came = None if data.visited_at is UNSET else data.visited_at
    shown = counter.Visit(ticketcode.number(data.ticket), data.visit_id, came)
    try:
        done = await counter.admit(here.gate, token=caller.jti_hash, visit=shown)
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    return orders.answer(done, status=200, headers=[])


handlers = [visit, admit]

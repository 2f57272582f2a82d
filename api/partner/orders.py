"""`/v1/partner/orders`: a waiver from its reservation to its settlement, with the clocks on the citizen's side.

Every answer is the order as it stands, with what is possible next; `GET /v1/state-machines` draws the whole course.
Each request needs an Idempotency-Key: after a timeout or a 503, send the same request with the same key.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody
from litestar.types import ASGIApp

from api import guards
from api.deps import HttpRequest
from api.partner import desk, spending
from api.partner.orderforms import Extend, Open, Return, Reverse, Settle, Sync, opening
from api.partner.sending import send
from core import ids
from core.errors import FieldError, Invalid, Malformed
from incentives.eligibility import Question, TokenDead
from incentives.orders import counter
from incentives.orders.counter import Done, Order
from incentives.orders.courses import ORDER

ROUTE = "/v1/partner/orders"
_KEY = 255
_MOST = 100
IdempotencyKey = Annotated[str | None, HeaderParameter(name="Idempotency-Key")]


class IdempotencyKeyMissing(Malformed):
    """Orders and their actions need a key, so that a repeat is never a second order."""

    code = "idempotency_key_missing"
    title = "An Idempotency-Key is needed"


class View(Order, frozen=True, kw_only=True):
    """An order, and what its partner can do with it now."""

    allowed_actions: tuple[str, ...]


class Orders(msgspec.Struct, frozen=True):
    """A page of orders, newest first; send `next_cursor` as `cursor` for the next one."""

    orders: list[View]
    next_cursor: str | None


SHOWN = ResponseSpec(View, description="The order as it stands", generate_examples=False)
GUARDS = [guards.partner_hot("orders:write")]


@post(
    ROUTE, guards=[guards.partner_hot("orders:write", spends=True)], responses={201: SHOWN}, tags=["partner"],
    summary="Open an order",
)  # fmt: skip
async def open_order(data: JSONBody[Open], request: HttpRequest, idempotency_key: IdempotencyKey = None) -> ASGIApp:
    """Reserve a perk. `open`: granted and reserved; `standard_route`: proceed as with anybody.

    409 `order_exists`, `decision_used`, `decision_expired`.
    """
    asked, key = opening(data), _key(idempotency_key)
    here, token = await desk.of(request), (await guards.provide_client(request)).jti_hash
    named = Question(asked.perk, code=asked.code, subject=asked.subject, terminal=asked.terminal)
    try:
        done, headers = await spending.along(
            request, here, None if asked.decision_id is not None else named,
            once=lambda admission: counter.open_once(here.gate, token=token, key=key, asked=asked, admission=admission),
            alone=lambda: counter.open(here.gate, token=token, key=key, asked=asked),
        )  # fmt: skip
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    return answer(done, status=201, headers=headers)


@post(
    f"{ROUTE}/{{order_id:str}}/start", status_code=200, guards=GUARDS, responses={200: SHOWN}, tags=["partner"],
    summary="Goods out, ticket used",
)  # fmt: skip
async def start(order_id: FromPath[str], request: HttpRequest, idempotency_key: IdempotencyKey = None) -> ASGIApp:
    """The use begins. Itself a check: `standard_route` if the perk is no longer granted."""
    return await act(request, idempotency_key, order_id, "start", {})


@post(
    f"{ROUTE}/{{order_id:str}}/extend", status_code=200, guards=GUARDS, responses={200: SHOWN}, tags=["partner"],
    summary="Use it longer",
)  # fmt: skip
async def extend(
    order_id: FromPath[str], data: JSONBody[Extend], request: HttpRequest, idempotency_key: IdempotencyKey = None
) -> ASGIApp:
    """Move the planned end: itself a check, `standard_route` if the perk is no longer granted. Or a ticket's day."""
    return await act(request, idempotency_key, order_id, "extend", sent(data))


@post(
    f"{ROUTE}/{{order_id:str}}/return", status_code=200, guards=GUARDS, responses={200: SHOWN}, tags=["partner"],
    summary="Goods back",
)  # fmt: skip
async def give_back(
    order_id: FromPath[str], data: JSONBody[Return], request: HttpRequest, idempotency_key: IdempotencyKey = None
) -> ASGIApp:
    """The use has ended. Settle within 72 hours, or the order is settled at nothing."""
    return await act(request, idempotency_key, order_id, "return", sent(data))


@post(
    f"{ROUTE}/{{order_id:str}}/settle", status_code=200, guards=GUARDS, responses={200: SHOWN}, tags=["partner"],
    summary="Say what is charged",
)  # fmt: skip
async def settle(
    order_id: FromPath[str], data: JSONBody[Settle], request: HttpRequest, idempotency_key: IdempotencyKey = None
) -> ASGIApp:
    """Charge by line, at most what the order was opened for; a ticket at the gate, a pass that is returned, as sold.

    Nothing to pay: `settled` at once. 409 `ticket_for_another_day`.
    """
    return await act(request, idempotency_key, order_id, "settle", sent(data))


@post(
    f"{ROUTE}/{{order_id:str}}/reverse", status_code=200, guards=GUARDS, responses={200: SHOWN}, tags=["partner"],
    summary="Take charges back",
)  # fmt: skip
async def reverse(
    order_id: FromPath[str], data: JSONBody[Reverse], request: HttpRequest, idempotency_key: IdempotencyKey = None
) -> ASGIApp:
    """Lower what is due, or note a refund after the payment; of a ticket its discount goes back with its lines."""
    return await act(request, idempotency_key, order_id, "reverse", sent(data))


@post(
    f"{ROUTE}/{{order_id:str}}/cancel", status_code=200, guards=GUARDS, responses={200: SHOWN}, tags=["partner"],
    summary="Undo an order",
)  # fmt: skip
async def cancel(order_id: FromPath[str], request: HttpRequest, idempotency_key: IdempotencyKey = None) -> ASGIApp:
    """Before the return only: everything that was reserved is given back exactly."""
    return await act(request, idempotency_key, order_id, "cancel", {})


@post(
    f"{ROUTE}/{{order_id:str}}/sync", status_code=200, guards=GUARDS, responses={200: SHOWN}, tags=["partner"],
    summary="It was paid elsewhere",
)  # fmt: skip
async def sync(
    order_id: FromPath[str], data: JSONBody[Sync], request: HttpRequest, idempotency_key: IdempotencyKey = None
) -> ASGIApp:
    """The due amount was paid, by whatever way: the order is settled, a default is cured."""
    return await act(request, idempotency_key, order_id, "sync", sent(data))


@get(ROUTE, guards=GUARDS, summary="The caller's orders", tags=["partner"])
async def find(
    request: HttpRequest, out_order_no: FromQuery[str | None] = None, status: FromQuery[str | None] = None,
    limit: FromQuery[int] = 50, cursor: FromQuery[str | None] = None,
) -> Orders:  # fmt: skip
    """Orders by number or status, newest first: what to ask after a timeout."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    if not 1 <= limit <= _MOST:
        raise Invalid(errors=[FieldError("/limit", "out_of_range", f"Use 1 to {_MOST}.")])
    if status is not None and status not in {one.name for one in ORDER.states}:
        raise Invalid(errors=[FieldError("/status", "unknown", "GET /v1/state-machines lists the states.")])
    try:
        page = await counter.find(
            here.gate, token=caller.jti_hash, number=out_order_no, status=status, before=_before(cursor), most=limit
        )
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    after = f"{page.after[0].isoformat()}.{ids.show('or', page.after[1])}" if page.after else None
    return Orders([view(one) for one in page.orders], after)


def view(one: Order) -> View:
    """The order as its partner sees it."""
    return View(**msgspec.structs.asdict(one), allowed_actions=one.course().allowed(one.status, by="partner"))


async def act(
    request: HttpRequest, key: str | None, order_id: str, action: str, given: Mapping[str, object]
) -> ASGIApp:
    """One action on an order of the caller's."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    try:
        done = await counter.act(
            here.gate, token=caller.jti_hash, key=_key(key), order_id=order_id, action=action, given=given
        )
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    return answer(done, status=200, headers=[])


def answer(done: Done, *, status: int, headers: list[tuple[str, str]]) -> ASGIApp:
    """The order after a step, as it goes out."""
    told = [("Idempotent-Replayed", "true")] if done.replayed else []
    return send(msgspec.json.encode(view(done.order)), status=status, headers=[*headers, *told])


def sent(data: msgspec.Struct) -> dict[str, object]:
    """What was sent, without what was left out."""
    return msgspec.to_builtins(data)


def _key(value: str | None) -> str:
    """An Idempotency-Key: 1 to 255 visible characters."""
    if value is None:
        raise IdempotencyKeyMissing("Send an Idempotency-Key, e.g. a UUID, and the same one with every repeat.")
    if not (0 < len(value) <= _KEY and value.isascii() and value.isprintable()):
        advice = "Send 1 to 255 printable ASCII characters, e.g. a UUID."
        raise Invalid("The Idempotency-Key cannot be used.", errors=[FieldError("/Idempotency-Key", "invalid", advice)])
    return value


def _before(cursor: str | None) -> tuple[datetime, uuid.UUID] | None:
    if cursor is None:
        return None
    at, _, shown = cursor.rpartition(".")
    try:
        return datetime.fromisoformat(at), ids.read("or", shown)
    except ValueError as error:
        raise Invalid(errors=[FieldError("/cursor", "invalid", "Send the `next_cursor` of a page.")]) from error


handlers = [open_order, start, extend, give_back, settle, reverse, cancel, sync, find]

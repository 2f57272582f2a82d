"""`/v1/staff/orders`: disputed charges, and what has been overdue for 30 days. Scope `staff:orders`.

A person decides each, with reasons that the citizen reads. A default pauses that perk alone, payment cures it, and
nothing of it ever reaches the points.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.staff.clerks import ClerkNo, ClerkQuery, Purpose, PurposeQuery
from core import ids
from core.errors import FieldError, Invalid
from incentives.orders import reviews
from incentives.orders.counter import PREFIX, Order
from incentives.orders.holders import Held, Step
from incentives.orders.lines import Item
from incentives.orders.reviews import Event, Look

SCOPE = "staff:orders"
_MOST = 100


class Waiting(msgspec.Struct, frozen=True):
    """An order that waits for a person; `due` in fen."""

    order_id: str
    partner: str
    perk: str
    status: str
    since: datetime
    due: int
    reason: str | None


class Queue(msgspec.Struct, frozen=True):
    """What waits, the longest first."""

    items: list[Waiting]


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A clerk's decision, with reasons that the citizen reads.

    uphold: the dispute is right, `charge` fen remain (none, if not said) · reject: the charge stands · default: not
    paid, from day 30 on; pauses the perk · write_off: what is due is not asked for any more.
    """

    clerk: ClerkNo
    purpose: Purpose
    decision: Event
    answer: Annotated[str, Meta(min_length=1, max_length=500)]
    charge: Annotated[int, Meta(ge=0, le=100_000_000)] | None = None


class View(Order, frozen=True, kw_only=True):
    """An order as the office sees it: never whose."""

    partner: str
    items: tuple[Item, ...] | None
    terminal: str | None
    evidence: dict[str, str] | None
    disputed_for: str | None
    answer: str | None
    history: tuple[Step, ...]
    allowed_actions: tuple[str, ...]


@get("/orders", summary="Orders that wait for a person", tags=["staff"])
async def queue(
    session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Client], limit: FromQuery[int] = 50
) -> Queue:
    """Disputes, and what has been overdue for 30 days: no names, no lines."""
    if not 1 <= limit <= _MOST:
        raise Invalid(errors=[FieldError("/limit", "out_of_range", f"Use 1 to {_MOST}.")])
    found = await reviews.waiting(session, token=caller.jti_hash, most=limit)
    return Queue([Waiting(**msgspec.structs.asdict(one)) for one in found])


@get("/orders/{order_id:str}", summary="Open an order", tags=["staff"])
async def one(
    order_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
    clerk: ClerkQuery,
    purpose: PurposeQuery,
) -> View:
    """One order with its history. Its citizen reads which clerk opened it, and why."""
    look, number = Look(caller.jti_hash, clerk, purpose), ids.read(PREFIX, order_id)
    return _view(await reviews.read(session, look=look, order_id=number, shown=order_id))


@post("/orders/{order_id:str}/decision", status_code=200, summary="Decide about an order", tags=["staff"])
async def decide(
    order_id: FromPath[str],
    data: JSONBody[Decision],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Client],
) -> View:
    """Answer a dispute, or judge what is overdue; 409 `too_early` before day 30."""
    if data.charge is not None and data.decision != "uphold":
        raise Invalid(errors=[FieldError("/charge", "not_possible", "Only with `uphold`.")])
    look, number = Look(caller.jti_hash, data.clerk, data.purpose), ids.read(PREFIX, order_id)
    return _view(
        await reviews.decide(
            session, look=look, order_id=number, shown=order_id, event=data.decision, answer=data.answer,
            charge=data.charge,
        )
    )  # fmt: skip


def _view(one: Held) -> View:
    told = {**msgspec.structs.asdict(one.order), **msgspec.structs.asdict(one.more)}
    return View(**told, allowed_actions=one.order.course().allowed(one.order.status, by="staff"))


handlers = [
    Router(
        path="/v1/staff",
        route_handlers=[queue, one, decide],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("staff")), "caller": Provide(guards.provide_client)},
    )
]

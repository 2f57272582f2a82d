"""What a citizen sees of their orders and does with them: report a fault, dispute a charge, leave.

A report stops the clock at once; a dispute stops the payment. Neither ever becomes an input of points. Gate functions
find the citizen by the proof of the session (`auth.citizen_now`); a relative who looks sees and does not act.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict, NotFound
from core.lifecycle import By, IllegalTransition
from incentives.orders.counter import Order
from incentives.orders.courses import LEAVE_WITHIN_DAYS
from incentives.orders.lines import Item

_ALL = text("select shown::text, more::text from incentives.orders_of_citizen(:order, :most)")
_ACT = text("select refusal, shown::text from incentives.citizen_acts(:order, :event, :reason)")
_CLOSING = text("select shown::text from incentives.closing_orders()")
_UNLINK = text("select incentives.unlink_citizen()")
_MOST = 500


class Disputed(Conflict):
    """A charge is disputed once; the office's answer stands on the order."""

    code = "charge_already_disputed"
    title = "This order was disputed before"


class OrdersOpen(Conflict):
    """Something is still in use or unpaid; `orders` says what, and when it closes by itself."""

    code = "orders_open"
    title = "Orders are still open"

    @classmethod
    def of(cls, running: Sequence[Order]) -> "OrdersOpen":
        """The problem that names these."""
        told = [{"order_id": one.order_id, "status": one.status, "next_at": one.next_at} for one in running]
        detail = f"They close by themselves within {LEAVE_WITHIN_DAYS} days; return or pay to leave earlier."
        return cls(detail, orders=msgspec.to_builtins(told))


class Step(msgspec.Struct, frozen=True):
    """What happened, by whom, and the fen that it moved."""

    seq: int
    event: str
    by: By
    status: str
    at: datetime
    amount: int | None


class More(msgspec.Struct, frozen=True):
    """What the citizen and the office see beside the order itself."""

    partner: str
    items: tuple[Item, ...] | None
    terminal: str | None
    evidence: dict[str, str] | None
    disputed_for: str | None
    answer: str | None
    history: tuple[Step, ...]


class Held(msgspec.Struct, frozen=True):
    """An order of a citizen's, with its history."""

    order: Order
    more: More


async def mine(session: AsyncSession) -> list[Held]:
    """The orders of the citizen at this door, newest first."""
    return await _held(session, None)


async def one(session: AsyncSession, *, order_id: uuid.UUID) -> Held:
    """One order of the citizen at this door. Raises NotFound."""
    for found in await _held(session, order_id):
        return found
    raise NotFound


async def act(session: AsyncSession, *, order_id: uuid.UUID, event: str, reason: str | None = None) -> Held:
    """Report a fault (`report-fault`) or dispute a charge (`dispute`, with a reason of `courses.REASONS`).

    Raises NotFound, IllegalTransition, Disputed.
    """
    row = (await session.execute(_ACT, {"order": order_id, "event": event, "reason": reason})).one_or_none()
    if row is None:
        raise NotFound
    if row.refusal == "already_disputed":
        raise Disputed("The office answers it; the answer stands on the order.")
    if row.refusal is not None:
        order = msgspec.json.decode(row.shown, type=Order)
        allowed = order.course().allowed(order.status, by="citizen")
        raise IllegalTransition(state=order.status, event=event, allowed=allowed)
    return await one(session, order_id=order_id)


async def closing(session: AsyncSession) -> list[Order]:
    """Let every running order close within 30 days, since its citizen wants to leave; returns those."""
    return [msgspec.json.decode(row, type=Order) for row in (await session.execute(_CLOSING)).scalars()]


async def unlink(session: AsyncSession) -> None:
    """Cut every link between the citizen who leaves and their orders; what still runs goes on for the partner alone."""
    await session.execute(_UNLINK)


async def _held(session: AsyncSession, order_id: uuid.UUID | None) -> list[Held]:
    rows = await session.execute(_ALL, {"order": order_id, "most": _MOST})
    return [Held(msgspec.json.decode(row.shown, type=Order), msgspec.json.decode(row.more, type=More)) for row in rows]

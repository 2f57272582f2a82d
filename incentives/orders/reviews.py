"""The office's part: disputes of charges, and what has been overdue for 30 days. A person decides, with reasons.

A default pauses one perk and is cured by payment; it never touches points. The queue names nobody; who opens an order
says who they are and why, and its citizen reads that. Gate functions prove the token of scope `staff:orders`.
"""

import uuid
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict, FieldError, Invalid, NotFound
from core.lifecycle import IllegalTransition
from incentives.orders.counter import Order
from incentives.orders.courses import ORDER, REVIEW_AFTER_DAYS
from incentives.orders.holders import Held, More

_QUEUE = text("select * from incentives.orders_to_review(:token, :most)")
_READ = text(
    "select shown::text, more::text from incentives.read_order(:token, :order, :purpose, cast(:detail as jsonb))"
)
_REVIEW = text(
    "select refusal, shown::text, more::text from incentives.review_order("
    ":token, :order, :event, :purpose, cast(:detail as jsonb), :answer, :charge)"
)
Event = Literal["uphold", "reject", "default", "write_off"]


class TooEarly(Conflict):
    """Nothing overdue is judged before day 30."""

    code = "too_early"
    title = "Not before day 30"


class Look(msgspec.Struct, frozen=True):
    """Who looks: SHA-256 of the jti of a live token of scope `staff:orders`, the clerk's number, and why."""

    token: bytes
    clerk: str
    purpose: str


class Waiting(msgspec.Struct, frozen=True):
    """An order that waits for a person, by what is at stake and since when."""

    order_id: str
    partner: str
    perk: str
    status: str
    since: datetime
    due: int
    reason: str | None


async def waiting(session: AsyncSession, *, token: bytes, most: int) -> list[Waiting]:
    """The longest waiting first; nothing for a token without the scope."""
    return [Waiting(*row) for row in await session.execute(_QUEUE, {"token": token, "most": most})]


async def read(session: AsyncSession, *, look: Look, order_id: uuid.UUID, shown: str) -> Held:
    """One order with its history; its citizen reads who looked and why. Raises NotFound."""
    row = (await session.execute(_READ, _who(look, order_id, shown))).one_or_none()
    if row is None:
        raise NotFound
    return _held(row.shown, row.more)


async def decide(
    session: AsyncSession, *, look: Look, order_id: uuid.UUID, shown: str, event: Event, answer: str,
    charge: int | None = None,
) -> Held:  # fmt: skip
    """Answer a dispute or judge what is overdue; `answer` is read by the citizen, `charge` (fen) is what remains.

    Raises NotFound, IllegalTransition, TooEarly, Invalid.
    """
    given = {**_who(look, order_id, shown), "event": event, "answer": answer, "charge": charge}
    row = (await session.execute(_REVIEW, given)).one_or_none()
    if row is None:
        raise NotFound
    if row.refusal == "too_early":
        detail = f"Wait until it has been overdue for {REVIEW_AFTER_DAYS} days."
        raise TooEarly(detail)
    if row.refusal == "more_than_charged":
        advice = "What remains is at most what is still charged."
        raise Invalid(errors=[FieldError("/charge", "more_than_charged", advice)])
    if row.refusal is not None:
        state = msgspec.json.decode(row.shown, type=Order).status
        raise IllegalTransition(state=state, event=event, allowed=ORDER.allowed(state, by="staff"))
    return _held(row.shown, row.more)


def _who(look: Look, order_id: uuid.UUID, shown: str) -> dict[str, object]:
    detail = msgspec.json.encode({"order": shown, "clerk": look.clerk}).decode()
    return {"token": look.token, "order": order_id, "purpose": look.purpose, "detail": detail}


def _held(shown: str, more: str) -> Held:
    return Held(msgspec.json.decode(shown, type=Order), msgspec.json.decode(more, type=More))

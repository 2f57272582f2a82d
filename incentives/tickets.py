"""The text of a ticket or pass as its citizen shows it: drawn for one civil day, as often as they like.

The key is the one of the quarter in which that day ends, which a gate knows a quarter ahead (`incentives.codekeys`).
Drawing says nothing to anybody: the text is read of the citizen's own order, and no row is written.
"""

import uuid
from datetime import date, datetime, time, timedelta

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, NotFound
from incentives import ticketcode
from incentives.codes import Mint
from incentives.orders.counter import Order
from incentives.ticketcode import Claims

_ROW = text(
    "select shown::text, number, visit_on, last_day, per_day, perk, audience from incentives.admission_of(:order)"
)


class NoTicket(Conflict):
    """The order is no ticket or pass that admits on a day from today on."""

    code = "no_ticket"
    title = "Nothing to show at a gate"


class Ticket(msgspec.Struct, frozen=True):
    """A text for a gate, the civil day for which it is good, and from when until when."""

    text: str
    day: date
    begins: datetime
    ends: datetime


async def draw(session: AsyncSession, by: Mint, *, order_id: uuid.UUID) -> Ticket:
    """The text of a ticket of the citizen at this door for its day, of a pass for today. Raises NotFound, NoTicket."""
    row = (await session.execute(_ROW, {"order": order_id})).one_or_none()
    if row is None:
        raise NotFound
    order, today = msgspec.json.decode(row.shown, type=Order), clock.today()
    day = row.visit_on or today
    if order.admission is None or order.status not in {"open", "active"} or not today <= day <= (row.last_day or day):
        raise NoTicket("Only a ticket for a day to come, or a pass that runs, has a text.")
    begins = datetime.combine(day, time.min, clock.CITY_ZONE)
    ends = begins + timedelta(days=1)
    key = by.keys.current(ends)
    claims = Claims(
        key.byte,
        by.city,
        row.number,
        int(begins.timestamp()),
        int(ends.timestamp()),
        row.per_day,
        row.perk,
        row.audience,
    )
    return Ticket(ticketcode.write(claims, key.sign), day, begins, ends)

"""`GET /v1/me/orders/{order_id}/ticket`: what a citizen shows at the gate of a garden, drawn as often as they like."""

import segno
from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from api.citizen.door import behind
from api.deps import House
from api.public import creditcodes
from core import ids
from incentives import tickets
from incentives.orders.counter import PREFIX
from incentives.tickets import Ticket


class Drawn(Ticket, frozen=True, kw_only=True):
    """The text (TK1), and the same as an SVG picture."""

    qr: str


@get("/v1/me/orders/{order_id:str}/ticket", summary="My ticket for the gate", tags=["citizen"])
async def ticket(
    order_id: FromPath[str], session: NamedDependency[AsyncSession], house: NamedDependency[House]
) -> Drawn:
    """A text that a gate reads with or without a line: a ticket for its day, a pass for today. 409 `no_ticket`."""
    made = await tickets.draw(session, creditcodes.mint(house), order_id=ids.read(PREFIX, order_id))
    qr = segno.make(made.text, error="m").svg_inline(omitsize=True, border=4, light="#fff", title="门票")
    return Drawn(made.text, made.day, made.begins, made.ends, qr=qr)


handlers = [behind([ticket])]

"""What an order is made of: its lines, what was charged for them, and what a ticket or pass says. Amounts are fen."""

from datetime import date
from typing import Literal

import msgspec


class Item(msgspec.Struct, frozen=True):
    """A line: what for, and fen."""

    name: str
    amount: int


class Line(Item, frozen=True):
    """A line, how much of it was taken back, and what of a ticket's discount is in it, in fen."""

    reversed: int = 0
    waived: int = 0


class Settlement(msgspec.Struct, frozen=True):
    """What was charged by line, in fen: taken back by the partner, forgiven by the office or a clock, paid, still due.

    `refund_due`: what was paid and then taken back, for the partner to return.
    """

    items: tuple[Line, ...] | None
    charge: int
    reversed: int
    forgiven: int
    paid: int
    due: int
    refund_due: int


class Admission(msgspec.Struct, frozen=True):
    """What makes an order a ticket (`visit_on`, and its lines until it is used) or a pass (the others); amounts in fen.

    `valid_until`: the last day, once it is known; `refund`: what a pass that were returned now would give back.
    """

    form: Literal["ticket", "pass"]
    visit_on: date | None = None
    lines: tuple[Line, ...] | None = None
    valid_until: date | None = None
    visits: int | None = None
    visits_left: int | None = None
    per_day: int | None = None
    visit_price: int | None = None
    refund: int | None = None

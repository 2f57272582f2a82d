"""What a partner may send about an order: every body, every limit, nothing else."""

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.partner.eligibility import Holder
from core.errors import FieldError, Invalid
from incentives.orders.counter import Opening
from incentives.orders.lines import Item

Fen = Annotated[int, Meta(ge=0, le=100_000_000)]
Name = Annotated[str, Meta(min_length=1, max_length=20)]
Number = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,32}$")]
Terminal = Annotated[str, Meta(pattern=r"^[!-~][ -~]{0,63}$")]
Instant = Annotated[datetime, Meta(tz=True)]
VisitId = Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,64}$")]


class Ware(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line: what for (nothing about the person), and fen."""

    name: Name
    amount: Fen


class LineBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of which line of the settlement (from 1) is taken back, in fen."""

    line: Annotated[int, Meta(ge=1, le=100)]
    amount: Annotated[int, Meta(ge=1, le=100_000_000)]


_Wares = Annotated[tuple[Ware, ...], Meta(max_length=100)]


class Open(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order. Name the holder by the `decision_id` of a check that granted, or as in a check.

    `deposit`: what a stranger would pay or deposit, in fen; no charge may exceed it (without it, the sum of `items`).
    `visit_on` makes it a ticket of its `items` for that day. What a perk sells as a pass has no planned end of its own.
    """

    out_order_no: Number
    perk: Annotated[str, Meta(max_length=64)]
    decision_id: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    holder: Holder | UnsetType = UNSET
    deposit: Fen | UnsetType = UNSET
    planned_end: Instant | UnsetType = UNSET
    items: _Wares | UnsetType = UNSET
    terminal: Terminal | UnsetType = UNSET
    visit_on: date | UnsetType = UNSET


class Extend(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until when it shall be extended, which is itself a check; or the new day of a ticket, which is none."""

    planned_end: Instant | UnsetType = UNSET
    visit_on: date | UnsetType = UNSET


class Visit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A visit by a pass: your own id of it, and when it was, if not now."""

    visit_id: VisitId
    visited_at: Instant | UnsetType = UNSET


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody showed a ticket or pass: its text (TK1), your own id of this visit, and when it was, if not now."""

    ticket: Annotated[str, Meta(max_length=160)]
    visit_id: VisitId
    visited_at: Instant | UnsetType = UNSET


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Proof of a return: SHA-256 (hex) of what you keep, when and where it was made."""

    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    at: Instant
    terminal: Terminal | UnsetType = UNSET


class Return(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the use ended (now, if not said), and the evidence of it."""

    ended_at: Instant | UnsetType = UNSET
    evidence: Evidence | UnsetType = UNSET


class Settle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is charged, by line; an empty list settles at nothing.

    A ticket or pass is charged as it was sold: no lines, and of a ticket when its holder came, if not now.
    """

    items: _Wares | UnsetType = UNSET
    visited_at: Instant | UnsetType = UNSET


class Reverse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is taken back, by line; only ever down."""

    items: Annotated[tuple[LineBack, ...], Meta(min_length=1, max_length=100)]


class Sync(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was due has been paid elsewhere: exactly so many fen."""

    paid_amount: Fen


def opening(data: Open) -> Opening:
    """What the room is told of a request to open. Raises Invalid."""
    holder = None if data.holder is UNSET else data.holder
    named = [data.decision_id, *((holder.code, holder.subject) if holder else ())]
    if sum(one is not UNSET for one in named) != 1:
        advice = "Send a `decision_id`, or a `holder` with either a code or a subject."
        raise Invalid("An order is about exactly one holder.", errors=[FieldError("/holder", "one_of", advice)])
    if data.visit_on is not UNSET and not (data.planned_end is UNSET and data.items is not UNSET and data.items):
        advice = "A ticket is for its day and of its lines: send `items`, and no `planned_end`."
        raise Invalid(errors=[FieldError("/visit_on", "ticket", advice)])
    told = {name: value for name in _SAME if (value := getattr(data, name)) is not UNSET}
    items = None if data.items is UNSET else tuple(Item(one.name, one.amount) for one in data.items)
    code = holder.code if holder and holder.code is not UNSET else None
    subject = holder.subject if holder and holder.subject is not UNSET else None
    return Opening(**told, items=items, code=code, subject=subject)


_SAME = ("out_order_no", "perk", "decision_id", "deposit", "planned_end", "terminal", "visit_on")

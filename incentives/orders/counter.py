"""What a partner does with orders: open, act, find. One call of a gate function each, which is one transaction.

Promises: a crash at any point either did the whole step or nothing; a repeat of an Idempotency-Key gets the first
answer for as long as the order is held; an order's steps are numbered without gaps, each with its event; a personal
cause at any step ends the order in `standard_route` and says nothing else. Money never passes here: amounts are fen
that the partner names within what the order was opened for. Migrations 0027 and 0038 hold the functions, which prove
the caller.
"""

import secrets
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from core import ids
from core.errors import NotFound
from core.lifecycle import Machine
from incentives import codes, once, repeats
from incentives.eligibility import Gate, TokenDead, subject_id
from incentives.orders import refusals
from incentives.orders.courses import FORMS
from incentives.orders.lines import Admission, Item, Settlement

PREFIX = "or"
_OPEN = "select * from incentives.open_order($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)"
_OPEN_ONCE = (
    "select * from incentives.open_once($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,"
    "$18,$19,$20,$21,$22,$23)"
)
_ACT = "select * from incentives.act_on_order($1, $2, $3, $4, $5, $6, $7)"
_FIND = "select * from incentives.orders_of_caller($1, $2, $3, $4, $5, $6)"
_ADMIT = "select * from incentives.admit($1, $2, $3, $4, $5, $6)"
_NOBODY = uuid.UUID(int=0)
NUMBER = 8  # random bytes by which a ticket or pass is known at a gate


class Order(msgspec.Struct, frozen=True):
    """How an order stands. `reason` is impersonal; `next` is what the clock will do at `next_at` if nothing happens."""

    order_id: str
    out_order_no: str
    perk: str
    status: str
    reason: str | None
    waived_amount: int
    payable_deposit: int
    seq: int
    opened_at: datetime
    planned_end: datetime | None
    started_at: datetime | None
    returned_at: datetime | None
    next: str | None
    next_at: datetime | None
    settlement: Settlement | None = None
    admission: Admission | None = None

    def course(self) -> Machine:
        """The course of orders of its form."""
        return FORMS["plain" if self.admission is None else self.admission.form]


class Opening(msgspec.Struct, frozen=True):
    """What an order is opened with; exactly one of `decision_id`, `code`, `subject` is given. Amounts in fen.

    `visit_on` makes it a ticket, whose price is the sum of its lines.
    """

    out_order_no: str
    perk: str
    decision_id: str | None = None
    code: str | None = None
    subject: str | None = None
    deposit: int | None = None
    planned_end: datetime | None = None
    items: tuple[Item, ...] | None = None
    terminal: str | None = None
    visit_on: date | None = None


class Visit(msgspec.Struct, frozen=True):
    """Somebody came with a ticket or pass: its number, the gate's own id of this visit, and when, if not now."""

    number: bytes
    visit_id: str
    visited_at: datetime | None = None


class Done(msgspec.Struct, frozen=True):
    """An order after a step; `replayed` when the key was used before."""

    order: Order
    replayed: bool


class Page(msgspec.Struct, frozen=True):
    """Orders, newest first; `after` begins the next page, if there is one."""

    orders: tuple[Order, ...]
    after: tuple[datetime, uuid.UUID] | None


async def open(gate: Gate, *, token: bytes, key: str, asked: Opening) -> Done:  # noqa: A001  (as merchants call it)
    """Open an order, itself a check. Raises TokenDead, IdempotencyConflict and what `refusals` holds."""
    told = _told(gate, _given(asked))
    rows = await _opened(gate, _OPEN, _arguments(token, key, asked, told))
    return _done(rows, told, event="open")


async def open_once(
    gate: Gate, *, token: bytes, key: str, asked: Opening, admission: once.Admission
) -> tuple[list[int], Done | None]:
    """`open` in the trip that spends the proof and counts; the counts, and None where one is above its most.

    What is undone, by a crash too, spent nothing. Raises ProofSpent besides what `open` raises.
    """
    told = _told(gate, _given(asked))
    rows = await _opened(gate, _OPEN_ONCE, (*admission.arguments(), *_arguments(token, key, asked, told)))
    if not rows:
        raise once.ProofSpent
    counted = list[int](rows[0]["counts"])
    if admission.overdrawn(counted):
        return counted, None
    return counted, _done(rows if rows[0]["partner_id"] is not None else [], told, event="open")


async def act(gate: Gate, *, token: bytes, key: str, order_id: str, action: str, given: Mapping[str, object]) -> Done:
    """Start, extend, visit, return, settle, reverse, cancel or sync.

    Raises as `open` does, NotFound and IllegalTransition.
    """
    told = {"action": action, "order_id": order_id, **given}
    sent = msgspec.json.encode(given).decode()
    rows = await gate.fetch(
        _ACT, token, ids.read(PREFIX, order_id), action, key, _digests(gate, told), sent, ids.new()
    )  # fmt: skip
    return _done(rows, _told(gate, told), event=action)


async def admit(gate: Gate, *, token: bytes, visit: Visit) -> Done:
    """Let in who shows a ticket or pass of the caller's, once for each `visit_id`.

    Raises NotFound for a number of nobody's, and as `act` does.
    """
    told = {"visit": visit.visit_id, "number": visit.number.hex(), "visited_at": visit.visited_at}
    rows = await gate.fetch(
        _ADMIT, token, visit.number, visit.visit_id, visit.visited_at, _digests(gate, told), ids.new()
    )  # fmt: skip
    return _done(rows, _told(gate, told), event="visit")


async def find(
    gate: Gate, *, token: bytes, number: str | None = None, status: str | None = None,
    before: tuple[datetime, uuid.UUID] | None = None, most: int = 50,
) -> Page:  # fmt: skip
    """The caller's orders by number or status. Raises TokenDead."""
    at, last = before or (None, None)
    rows = await gate.fetch(_FIND, token, number, status, at, last, most + 1)
    if not rows:
        raise _dead()
    found = [row for row in rows if row["id"] is not None]
    more = found[most - 1] if len(found) > most else None
    shown = tuple(_order(row["shown"]) for row in found[:most])
    return Page(shown, None if more is None else (more["opened_at"], more["id"]))


async def _opened(gate: Gate, statement: str, arguments: tuple[object, ...]) -> list[Any]:
    try:
        return await gate.fetch(statement, *arguments)
    except asyncpg.UniqueViolationError:  # the number or the decision went to a request at the same time
        return await gate.fetch(statement, *arguments)


def _arguments(token: bytes, key: str, asked: Opening, told: Mapping[str, object]) -> tuple[object, ...]:
    """What the statement is told of an opening; `told`: what a repeat must share."""
    number, check = ids.random(), ids.random()
    return (
        token, key, _json(told), number, ids.show(PREFIX, number), asked.out_order_no, asked.perk,
        _decision(asked.decision_id), None if asked.code is None else codes.digest(asked.code),
        None if asked.subject is None else subject_id(asked.subject), _price(asked), _json(_ordered(asked)),
        asked.planned_end, asked.terminal, check, ids.show("dc", check), ids.new(),
    )  # fmt: skip


def _given(asked: Opening) -> dict[str, object]:
    """What a repeat must share: the members that were sent."""
    told = msgspec.to_builtins(asked)
    told["holder"] = asked.code if asked.code is not None else asked.subject
    given = {name: value for name, value in told.items() if value is not None and name not in {"code", "subject"}}
    return {"action": "open", **given}


def _price(asked: Opening) -> int | None:
    """What a stranger would pay: of a ticket, by its lines."""
    if asked.deposit is not None or asked.visit_on is None:
        return asked.deposit
    return sum(one.amount for one in asked.items or ())


def _ordered(asked: Opening) -> dict[str, object]:
    """What is ordered, as the gate functions read it; the number is kept of a ticket or pass alone."""
    told = {"items": asked.items, "visit_on": asked.visit_on, "number": secrets.token_hex(NUMBER)}
    return {name: value for name, value in told.items() if value is not None}


def _told(gate: Gate, given: Mapping[str, object]) -> dict[str, object]:
    """Keyed digests, member by member: what was sent is not kept, and a repeat is told from another input."""
    return {name: gate.seal(msgspec.json.encode(value).decode()).hex() for name, value in given.items()}


def _digests(gate: Gate, given: Mapping[str, object]) -> str:
    return msgspec.json.encode(_told(gate, given)).decode()


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _decision(text: str | None) -> uuid.UUID | None:
    """The decision behind the text; one that nobody has for what is no id at all."""
    if text is None:
        return None
    try:
        return ids.read("dc", text)
    except NotFound:
        return _NOBODY


def _done(rows: list[Any], told: Mapping[str, object], *, event: str) -> Done:
    if not rows:
        raise _dead()
    refusal, shown = rows[0]["refusal"], rows[0]["shown"]
    if refusal == "conflict":
        raise repeats.conflict(rows[0]["first_input"] or "{}", told)
    if refusal not in {None, "replay"}:
        raise refusals.problem(refusal, None if shown is None else msgspec.json.decode(shown), event=event)
    return Done(_order(shown), refusal == "replay")


def _order(shown: str) -> Order:
    return msgspec.json.decode(shown, type=Order)


def _dead() -> TokenDead:
    detail = "Ask for a new access token."
    return TokenDead(detail)

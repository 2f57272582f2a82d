"""`GET /v1/partner/statements/{date}`: once a day is over, which standing consents ended and what its orders moved.

The only way in which a partner is told of an end; until then every answer is the standard route, as for anybody. The
ends are in the order of random ids, so that they say neither when nor in which turn people left, and never why. Orders
are by the partner's own number, with sums of the whole day, and are there for a token that may order. The bytes are
signed as the rules are (`api.public.published`): a copy proves itself later.

A day is told two minutes after it: by then whatever began on it has ended, so that a finished day says the same for
ever (`core.db.LONGEST_SECONDS`).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery

from api import deps, guards
from api.deps import HttpRequest
from api.partner import desk
from api.public.published import Press
from api.public.rules import provide_press
from core import clock, db, ids
from core.errors import FieldError, Invalid, NotFound
from incentives.events import dayorders

ORDERS = "orders:write"
_PAGE = 1000
_SEQ = 10
_SETTLED = timedelta(seconds=2 * db.LONGEST_SECONDS)


class NotFinished(NotFound):
    """The day is not over."""

    code = "statement_not_ready"
    title = "The day is not over"


class Line(msgspec.Struct, frozen=True):
    """A consent that ended: the subject that the partner knows the holder by, and the perk."""

    subject: str
    perk: str


class Orders(msgspec.Struct, frozen=True):
    """What orders moved, in fen. `sums` and `charged` (settled less reversed less forgiven) are of the whole day.

    Lines are in the order of `out_order_no`; send `next_cursor` as `orders_cursor` for the rest of them.
    """

    sums: Mapping[str, dayorders.Sum]
    charged: int
    lines: list[dayorders.Line]
    next_cursor: str | None


class Statement(msgspec.Struct, frozen=True):
    """What ended on a civil day; send `next_cursor` as `cursor` for the rest. `orders`: null without `orders:write`."""

    date: date
    ended: list[Line]
    next_cursor: str | None
    orders: Orders | None


@get(
    "/v1/partner/statements/{day:str}",
    guards=[guards.client("partner", "eligibility:check")],
    dependencies={"press": Provide(provide_press)},
    responses={200: ResponseSpec(Statement, description="The day, signed", generate_examples=False)},
    summary="What a day brought: consents that ended, orders that moved",
    tags=["partner"],
)
async def statement(
    request: HttpRequest,
    day: FromPath[str],
    press: NamedDependency[Press],
    limit: FromQuery[int] = _PAGE,
    cursor: FromQuery[str | None] = None,
    orders_cursor: FromQuery[str | None] = None,
) -> Response[Any]:
    """One finished civil day; 404 `statement_not_ready` says when it will be there."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    if not 1 <= limit <= _PAGE:
        raise Invalid(errors=[FieldError("/limit", "out_of_range", f"Use 1 to {_PAGE}.")])
    asked, after = civil_day(day), ids.read("su", cursor) if cursor else None
    today, found = await here.gate.ended(token=caller.jti_hash, day=asked, after=after, most=limit + 1)
    must_be_finished(asked, today)
    lines = [Line(ids.show("su", one.subject), one.perk) for one in found[:limit]]
    orders = await _orders(request, caller, asked, orders_cursor, limit) if ORDERS in caller.scopes else None
    told = Statement(asked, lines, lines[-1].subject if len(found) > limit else None, orders)
    body = msgspec.json.encode(told)
    signed = press.document(("statement", body), lambda: msgspec.Raw(body))
    return Response(body, media_type="application/json", headers={**signed.headers, "Cache-Control": "no-store"})


async def _orders(request: HttpRequest, caller: guards.Client, day: date, cursor: str | None, limit: int) -> Orders:
    """The day's orders after a line."""
    number, _, seq = (cursor or "").rpartition(":")
    if cursor and not (number and seq.isascii() and seq.isdigit() and len(seq) < _SEQ):
        raise NotFound
    found = await dayorders.read(
        await deps.house(request).doors.pool(), token=caller.jti_hash, day=day,
        after=(number, int(seq)) if cursor else None, most=limit + 1,
    )  # fmt: skip
    lines = found.lines[:limit]
    more = f"{lines[-1].out_order_no}:{lines[-1].seq}" if len(found.lines) > limit else None
    return Orders(found.sums, found.charged, lines, more)


def civil_day(text: str) -> date:
    """The day that stands in an address. Raises NotFound."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotFound from error


def must_be_finished(day: date, today: date) -> None:
    """Raise NotFinished for a day to which something may still be added; `today` is the database's."""
    if day >= min(today, clock.day_of(clock.civil() - _SETTLED)):
        detail = f"Ask for {day} two minutes after midnight (Asia/Shanghai) of that day."
        raise NotFinished(detail, available_after=day.isoformat())


handlers = [statement]

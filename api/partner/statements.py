"""`GET /v1/partner/statements/{date}`: which standing consents ended on a day, once the day is over.

The only way in which a partner is told of an end; until then every answer is the standard route, as for anybody. The
lines are in the order of random ids, so that they say neither when nor in which turn people left, and never why.
"""

from datetime import date

import msgspec
from litestar import get
from litestar.params import FromPath, FromQuery

from api import guards
from api.deps import HttpRequest
from api.partner import desk
from core import ids
from core.errors import FieldError, Invalid, NotFound

_PAGE = 1000


class NotFinished(NotFound):
    """The day is not over."""

    code = "statement_not_ready"
    title = "The day is not over"


class Line(msgspec.Struct, frozen=True):
    """A consent that ended: the subject that the partner knows the holder by, and the perk."""

    subject: str
    perk: str


class Statement(msgspec.Struct, frozen=True):
    """What ended on a civil day; send `next_cursor` as `cursor` for the rest of it."""

    date: date
    ended: list[Line]
    next_cursor: str | None


@get(
    "/v1/partner/statements/{day:str}",
    guards=[guards.client("partner", "eligibility:check")],
    summary="Consents that ended on a day",
    tags=["partner"],
)
async def statement(
    request: HttpRequest, day: FromPath[str], limit: FromQuery[int] = _PAGE, cursor: FromQuery[str | None] = None
) -> Statement:
    """The ends of one finished civil day; 404 `statement_not_ready` says when it will be there."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    if not 1 <= limit <= _PAGE:
        raise Invalid(errors=[FieldError("/limit", "out_of_range", f"Use 1 to {_PAGE}.")])
    asked, after = _day(day), ids.read("su", cursor) if cursor else None
    today, found = await here.gate.ended(token=caller.jti_hash, day=asked, after=after, most=limit + 1)
    if asked >= today:
        detail = f"Ask for {asked} after midnight (Asia/Shanghai) of that day."
        raise NotFinished(detail, available_after=asked.isoformat())
    lines = [Line(ids.show("su", one.subject), one.perk) for one in found[:limit]]
    return Statement(asked, lines, lines[-1].subject if len(found) > limit else None)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotFound from error


handlers = [statement]

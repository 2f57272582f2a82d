"""`GET /v1/citycard/statements/{date}`: what an operator's rides came to, settled on a finished civil day.

A day is told when nothing can be added to it any more, by the rule of the partners' statements. The bytes are signed as
the rules are (`api.public.published`): a copy proves itself later. Sums are of the whole day on every
page; amounts in fen.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery

from api import guards
from api.citycard import door
from api.partner.statements import civil_day, must_be_finished
from api.public.published import Press
from api.public.rules import provide_press
from core import clock
from core.errors import FieldError, Invalid
from incentives.citycard.entrance import Entrance
from incentives.eligibility import TokenDead
from incentives.rides import statements
from incentives.rides.statements import Double, Sum

_PAGE = 1000


class RideStatement(msgspec.Struct, frozen=True):
    """`owed`: the discounts that are paid to the operator, by perk. Send `next_cursor` as `cursor` for more doubles."""

    date: date
    sums: tuple[Sum, ...]
    owed: Mapping[str, int]
    doubles: tuple[Double, ...]
    next_cursor: str | None


@get(
    "/v1/citycard/statements/{day:str}",
    dependencies={"press": Provide(provide_press)},
    responses={200: ResponseSpec(RideStatement, description="The day, signed", generate_examples=False)},
    summary="What a day's rides came to",
    tags=["citycard"],
)
async def statement(
    day: FromPath[str],
    entrance: NamedDependency[Entrance],
    caller: NamedDependency[guards.Client],
    press: NamedDependency[Press],
    limit: FromQuery[int] = _PAGE,
    cursor: FromQuery[str | None] = None,
) -> Response[Any]:
    """One finished civil day of uploads; 404 `statement_not_ready` says when it will be there."""
    if not 1 <= limit <= _PAGE:
        raise Invalid(errors=[FieldError("/limit", "out_of_range", f"Use 1 to {_PAGE}.")])
    asked = civil_day(day)
    must_be_finished(asked, clock.today())
    try:
        found = await statements.read(entrance, token=caller.jti_hash, day=asked, after=cursor, most=limit + 1)
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    more = found.doubles[limit - 1].ride if len(found.doubles) > limit else None
    told = RideStatement(asked, found.sums, found.owed, found.doubles[:limit], more)
    body = msgspec.json.encode(told)
    signed = press.document(("rides", body), lambda: msgspec.Raw(body))
    return Response(body, media_type="application/json", headers={**signed.headers, "Cache-Control": "no-store"})


handlers = [door.behind([statement])]

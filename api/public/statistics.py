"""Quarterly statistics: `/v1/rules/statistics` for everybody, signed; the same under `/v1/staff/statistics`.

They are made by the jobs once the quarter is over (`scoring.reports.statistics`), and due within 15 working days.
"""

from typing import Any

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps, guards
from api.deps import House, HttpRequest
from api.public import published
from api.public.published import Press
from api.public.rules import provide_press
from core import clock
from core.errors import NotFound
from scoring.reports import quarter as quarters
from scoring.reports import statistics
from scoring.reports.statistics import Statistics

SCOPE = "staff:audits"


class Quarters(msgspec.Struct, frozen=True):
    """The quarters that were counted, newest first."""

    quarters: list[str]


@get("/v1/rules/statistics", summary="Which quarters were counted", tags=["rules"])
async def every(session: NamedDependency[AsyncSession]) -> Quarters:
    """The names of the quarters."""
    return Quarters(await statistics.every(session))


@get("/v1/rules/statistics/{quarter:str}", summary="A quarter in numbers", tags=["rules"])
async def one(
    request: HttpRequest,
    quarter: FromPath[str],
    session: NamedDependency[AsyncSession],
    press: NamedDependency[Press],
) -> Response[Any]:
    """`2026-Q4`: joined and left, tiers, rights and times kept, perks, sources. Small cells are hidden."""
    body = await _body(session, quarter)
    return published.answer(request, press.document(("statistics", quarter, body), lambda: msgspec.Raw(body)))


@get("/v1/staff/statistics/{quarter:str}", summary="A quarter in numbers", tags=["staff"])
async def for_staff(quarter: FromPath[str], session: NamedDependency[AsyncSession]) -> Statistics:
    """The same for the office, with whether it was there in time."""
    return msgspec.json.decode(await _body(session, quarter), type=Statistics)


async def keep(house: House) -> None:
    """Part of the jobs' round: make what the last quarter still lacks."""
    async with house.doors.work("jobs") as session:
        await statistics.make(session, quarter=quarters.over(clock.today()))


async def _body(session: AsyncSession, name: str) -> bytes:
    """The statistics of a quarter. Raises NotFound, also while it is not over."""
    named = quarters.read(name)
    body = await statistics.made(session, quarter=named) if named else None
    if body is None:
        raise NotFound("Name a quarter like 2026-Q4 that is over; it is counted in the night after its end.")
    return body


handlers = [
    Router(
        path="/",
        route_handlers=[every, one],
        dependencies={"session": Provide(deps.work("citizen")), "press": Provide(provide_press)},
    ),
    Router(
        path="/",
        route_handlers=[for_staff],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("staff"))},
    ),
]

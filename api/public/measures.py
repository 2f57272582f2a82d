"""Quarterly reports of incentive measures: `/v1/rules/incentives` for everybody, signed; what is owed for the office.

They are made by the jobs once the quarter is over (`incentives.measures`), and due within 15 working days.
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
from api.public.statistics import SCOPE, Quarters
from core import clock
from core.errors import NotFound
from incentives import measures
from incentives.measures import Obligation
from scoring.reports import quarter as quarters


class Owed(msgspec.Struct, frozen=True):
    """What the office owes now; an obligation stays until it is done."""

    obligations: list[Obligation]


@get("/v1/rules/incentives", summary="Quarters whose incentive measures were reported", tags=["rules"])
async def every(session: NamedDependency[AsyncSession]) -> Quarters:
    """The names of the quarters."""
    return Quarters(await measures.every(session))


@get("/v1/rules/incentives/{quarter:str}", summary="A quarter of incentive measures", tags=["rules"])
async def one(
    request: HttpRequest,
    quarter: FromPath[str],
    session: NamedDependency[AsyncSession],
    press: NamedDependency[Press],
) -> Response[Any]:
    """`2026-Q4`: per perk, how often it was given, settled, taken back. Small cells are hidden."""
    named = quarters.read(quarter)
    body = await measures.made(session, quarter=named) if named else None
    if body is None:
        raise NotFound("Name a quarter like 2026-Q4 that is over; it is reported in the night after its end.")
    return published.answer(request, press.document(("incentives", quarter, body), lambda: msgspec.Raw(body)))


@get("/v1/staff/obligations", summary="What the office owes", tags=["staff"])
async def owed(session: NamedDependency[AsyncSession]) -> Owed:
    """The report of the last quarter: by when, and whether it is there."""
    return Owed([await measures.owed(session, today=clock.today())])


async def keep(house: House) -> None:
    """Part of the jobs' daily chores: report the last quarter, if nobody did."""
    async with house.doors.work("jobs") as session:
        await measures.make(session, quarter=quarters.over(clock.today()))


handlers = [
    Router(
        path="/",
        route_handlers=[every, one],
        dependencies={"session": Provide(deps.work("citizen")), "press": Provide(provide_press)},
    ),
    Router(
        path="/",
        route_handlers=[owed],
        guards=[guards.client("staff", SCOPE)],
        dependencies={"session": Provide(deps.work("staff"))},
    ),
]

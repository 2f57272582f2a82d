"""`/console/sandbox`: somebody for every outcome, the clock, the check of one's endpoint; in a sandbox alone."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from api import deps, workpages
from api.console.frame import CHECK, page
from api.deps import HttpRequest
from api.sandbox import clock as sandbox_clock
from api.sandbox import codes, selfcheck
from api.sandbox.codes import NotYourPerk, TestCode, Wanted
from api.sandbox.selfcheck import Report, Which
from api.seated import Seated


@get("/console/sandbox")
async def see(
    request: HttpRequest,
    caller: NamedDependency[Seated],
    perk: FromQuery[str | None] = None,
    mode: FromQuery[str | None] = None,  # noqa: ARG001  (read by the frame: large letters)
) -> Response[str]:
    """The test citizens of a perk, by default the first."""
    return await _page(request, caller, perk=perk)


@post("/console/sandbox/code", status_code=200)
async def draw(request: HttpRequest, caller: NamedDependency[Seated]) -> Response[str]:
    """Draw a test citizen's code, to paste into one's own system."""
    wanted = await workpages.sent(request, Wanted)
    drawn = await codes.draw.fn(wanted, request, deps.house(request), caller)
    return await _page(request, caller, perk=wanted.perk, drawn=drawn)


@post("/console/sandbox/check", status_code=200)
async def check(request: HttpRequest, caller: NamedDependency[Seated]) -> Response[str]:
    """Check one's own endpoint; takes as long as the endpoint takes."""
    report = await selfcheck.check.fn(await workpages.sent(request, Which), deps.house(request), caller)
    return await _page(request, caller, perk=None, report=report)


async def _page(
    request: HttpRequest, caller: Seated, *, perk: str | None, drawn: TestCode | None = None,
    report: Report | None = None,
) -> Response[Any]:  # fmt: skip
    house = deps.house(request)
    try:
        people = await codes.citizens.fn(request, caller, perk=perk)
    except NotYourPerk:
        people = None
    return page(
        request, "sandbox.html", caller, people=people, perks=sorted(caller.perks), drawn=drawn, report=report,
        clock=await sandbox_clock.see.fn(house),
    )  # fmt: skip


handlers = [workpages.behind([see, draw, check], role="partner", scope=CHECK)]

"""The holder's reports: choose what a page shows, take it, see which can be checked, stop one."""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import report as reporting
from api.deps import House, HttpRequest
from api.pages import frame
from api.pages.door import behind
from auth.consent import ledger
from core.errors import Invalid
from scoring.reports import career
from scoring.reports.paper import Choice

PARTS = {
    "points": "分数",
    "tier": "等级",
    "dimensions": "各部分得分和扣分",
    "records": "计分记录的条数",
    "queries": "近一年谁查询过",
    "full_name": "完整姓名（不选则只显示张*明）",
}
_CHOSEN = ("points", "tier")
DAYS = (7, 30, 90)


@get("/reports")
async def reports(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """The choice, and what was issued."""
    held = (await reporting.reports.fn(session, house, caller)).reports
    career_consent = await ledger.live(session, citizen_id=caller.id, purpose=career.PURPOSE)
    context = {"career": career_consent is not None, "reports": held, "parts": PARTS, "chosen": _CHOSEN, "days": DAYS}
    return frame.member(request, "reports.html", house, caller, **context)


@post("/reports", status_code=200)
async def issue(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[bytes]:
    """The page as chosen, to download."""
    form: Any = await request.form()
    chosen = {name: name in form for name in PARTS}
    try:
        choice = msgspec.convert(
            {**chosen, "days": form.get("days", 30), "recipient": form.get("recipient", "")}, Choice, strict=False
        )
    except msgspec.ValidationError as error:
        raise Invalid from error
    return await reporting.issue(session, house, caller, choice)


@post("/reports/{report_id:str}/stop", status_code=200)
async def stop(
    request: HttpRequest,
    report_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Stop one, and show the rest."""
    await reporting.revoke.fn(report_id, session, house, caller)
    return await reports.fn(request, session, house, caller)


handlers = [behind([reports, issue, stop])]

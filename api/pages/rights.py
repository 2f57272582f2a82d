"""What everybody may do with what is held about them, on one page: take away, correct, have looked at, leave."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.status_codes import HTTP_409_CONFLICT
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import export as exporting
from api.citizen import leaving, reviews
from api.citizen.reviews import AskCorrection, AskReview
from api.deps import House, HttpRequest
from api.pages import door, frame
from api.pages.door import behind, sent
from incentives.orders import holders
from incentives.orders.holders import OrdersOpen

_ASKING = {"score": (AskReview, reviews.ask_review), "profile.name": (AskCorrection, reviews.ask_correction)}
_ASKING["profile.birth_date"] = _ASKING["profile.name"]
ABOUT = {"score": "我的分数", "profile.name": "我的姓名", "profile.birth_date": "我的出生日期"}


@get("/rights")
async def rights(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Every right with its button, and what a person of the office answered."""
    asked: list[reviews.View] = []
    for verb in (reviews.reviews, reviews.corrections):
        asked += (await verb.fn(session, house, caller)).items
    asked.sort(key=lambda one: one.opened_at, reverse=True)
    return frame.member(request, "rights.html", house, caller, asked=asked, about=ABOUT)


@get("/rights/export")
async def export(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Response[Any]:
    """The archive of `GET /v1/me/export`; after an old login, by way of a new one."""
    return await exporting.export.fn(session, house, caller)


@post("/rights/ask", status_code=200)
async def ask(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Put a question to a person of the office."""
    about = str((await request.form()).get("about"))
    shape, verb = _ASKING.get(about, _ASKING["score"])
    asked: Any = await sent(request, shape)
    await verb.fn(asked, session, house, caller)
    return await rights.fn(request, session, house, caller)


@get("/rights/leave")
async def before(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """What leaving would destroy, what would remain and why."""
    shown = await leaving.preview.fn(session, house, caller)
    return frame.member(request, "leave.html", house, caller, shown=shown)


@post("/rights/leave", status_code=200)
async def leave(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Leave, and show the certificate."""
    left = await leaving.leave.fn(request, session, house, caller)
    if left.status_code == HTTP_409_CONFLICT:
        return door.answer(request, OrdersOpen.of(await holders.closing(session)))
    headers = {"Clear-Site-Data": left.headers["Clear-Site-Data"]}
    page = frame.page(request, "left.html", headers=headers, left=left.content, contact=house.settings.contact)
    page.cookies.extend(left.cookies)
    return page


handlers = [behind([rights, export, ask, before, leave])]

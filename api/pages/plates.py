"""Number plates: which a citizen named to which car park, one form to name one, one button to take it back."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import plates
from api.deps import House, HttpRequest
from api.pages import frame, names
from api.pages.door import behind
from core.errors import Problem
from incentives.plates.bound import MOST, ShareMissing, TooManyPlates

_WHY: dict[type[Problem], str] = {
    ShareMissing: "您还没有同意让这家停车场核对这项便利，请先给出同意。",
    plates.NoPlatesHere: "这家单位不凭车牌认出车主。",
    TooManyPlates: f"同一家停车场最多登记 {MOST} 个车牌，请先取消一个。",
}
_NO_PLATE = "车牌写法不对：省份简称、字母，再加5位（新能源6位），不含字母 I 和 O。例：苏E12345、苏ED12345。"


@get("/plates")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Every plate, and the form."""
    return await _page(request, session, house, caller)


@post("/plates", status_code=303)
async def bind(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[Any]:
    """Name one; what is wrong with it is said beside the form, with what was typed still there."""
    form = await request.form()
    partner, _, perk = str(form.get("place", "")).partition("/")
    typed = str(form.get("plate", ""))
    asked = plates.Bind(partner, perk, typed)
    try:
        await plates.bind.fn(asked, session, house, caller)
    except Problem as wrong:
        if wrong.status not in {409, 422}:
            raise
        why = _WHY.get(type(wrong), _NO_PLATE)
        return await _page(request, session, house, caller, status=wrong.status, why=why, typed=typed)
    return Redirect("/plates", status_code=303)


@post("/plates/{plate_id:str}/remove", status_code=303)
async def unbind(
    plate_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> Redirect:
    """Take one back."""
    await plates.unbind.fn(plate_id, session, caller)
    return Redirect("/plates", status_code=303)


async def _page(
    request: HttpRequest, session: AsyncSession, house: House, caller: guards.Citizen, *, status: int = 200,
    why: str = "", typed: str = "",
) -> Response[str]:  # fmt: skip
    found: plates.Views = await plates.see.fn(session, house, caller)
    return frame.member(
        request, "plates.html", house, caller, status=status, plates=found.plates, lots=found.places,
        perks=await names.perks(session), most=MOST, why=why, typed=typed,
    )  # fmt: skip


handlers: list[Any] = [behind([see, bind, unbind])]

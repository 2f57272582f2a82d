"""Logins and devices: where somebody is logged in as the citizen, and one button to end each."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import sessions
from api.deps import House, HttpRequest
from api.pages import frame
from api.pages.door import behind

_WAYS = {"wechat": "微信", "counter": "服务窗口", "identity_provider": "城市身份认证"}


@get("/sessions")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Everything that is open, this device first."""
    found: sessions.Everything = await sessions.see.fn(session, caller)
    here = sorted(found.sessions, key=lambda one: not one.current)
    ways = [(_WAYS[one.kind], one.linked_at) for one in found.accounts]
    return frame.member(request, "sessions.html", house, caller, sessions=here, apps=found.apps, ways=ways)


@post("/sessions/end-others", status_code=303)
async def end_others(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]) -> Redirect:
    """End everything but this device."""
    await sessions.end_others.fn(session, caller)
    return Redirect("/sessions", status_code=303)


@post("/sessions/{session_id:str}/end", status_code=303)
async def end(
    session_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> Redirect:
    """End one."""
    await sessions.end_one(session, caller, session_id)
    return Redirect("/sessions", status_code=303)


handlers: list[Any] = [behind([see, end_others, end], door="auth")]

"""A clerk's way in and out: a link once, then the city's identity provider each time.

Promises: everybody proves themselves anew at each login, whatever session the provider holds, since desks are shared; a
login under way is tied to the browser that began it and used once; whoever is no clerk learns that and nothing else,
and nothing is kept of them. What the provider says of the person (name, number) is dropped at once.
"""

from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from api import cookies, deps, workpages
from api.deps import House, HttpRequest
from api.desk import frame as desk
from api.identity import devices, login
from api.pages import frame
from api.seated import Seated
from api.staff import counter
from auth import clerks, oidc, seats
from auth.clerks import AccountIsAnother, Clerk, NotAClerk
from auth.counter import assisted
from auth.oidc import RelyingParty, Returned
from auth.realname import NoIdentity, Proved
from core import audit, clock, ids
from core.audit import Actor

_UNDER_WAY = 600
_NO = {
    "not_a_clerk": "这个账号不是工作人员。请向本单位要一个开通链接。",
    "account_is_another": "这个账号已经是另一个工号了。一个人只能有一个工号：请先停用原来的。",
    "login_failed": "身份认证的结果没有通过核对，请重新登录。",
    "no_identity": "身份认证没有给出实名信息，请先完成实名认证。",
}


class Pending(msgspec.Struct, frozen=True):
    """A login under way; `link` is the secret of a clerk's link, empty for who has joined."""

    nonce: str
    verifier: str
    browser: str
    return_to: str
    since: int
    link: str


def party(request: HttpRequest, house: House) -> RelyingParty:
    """We, at the identity provider, for clerks."""
    if "desk_party" not in request.app.state:
        request.app.state["desk_party"] = login.relying_party(house, "/desk/callback")
    return request.app.state["desk_party"]


@get("/desk/login")
async def begin(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """To the identity provider; `return_to` is the page of the desk to come back to."""
    wanted = login.safe_path(request.query_params.get("return_to"))
    return await _begin(request, house, return_to=wanted if wanted.startswith("/desk") else "/desk", link="")


@get("/desk/join")
async def ask(request: HttpRequest) -> Response[str]:
    """Where a clerk's link leads: what it does, and the button."""
    return frame.page(request, "desk/join.html", no=None)


@post("/desk/join", status_code=200)
async def join(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """Use a link: log in, and this account is the clerk."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise cookies.ForeignRequest("Open the link itself.")
    secret = str((await request.form()).get("secret", "")).strip()[:64]
    return await _begin(request, house, return_to="/desk", link=secret)


async def _begin(request: HttpRequest, house: House, *, return_to: str, link: str) -> Response[Any]:
    begun, name = await party(request, house).begin(anew=True), cookies.login_name(house.settings)
    browser = request.cookies.get(name) or ids.random().hex
    held = Pending(begun.nonce, begun.verifier, _digest(browser), return_to, begun.since, link)
    await house.short.put(f"desk-login:{_digest(begun.state)}", msgspec.json.encode(held), _UNDER_WAY)
    kept = cookies.cookie(house.settings, name, browser, max_age=_UNDER_WAY)
    return Redirect(begun.address, status_code=303, cookies=[kept], headers={"Cache-Control": "no-store"})


@get("/desk/callback")
async def come_back(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """The provider's answer: `code` or `error`, `state`, `iss`."""
    query, settings = request.query_params, house.settings
    held = await house.short.take(f"desk-login:{_digest(query.get('state', ''))}")
    pending = None if held is None else msgspec.json.decode(held, type=Pending)
    if pending is None or pending.browser != _digest(request.cookies.get(cookies.login_name(settings), "")):
        return _refuse(request, "这次登录已经过期，或者不是从这个浏览器开始的。请重新登录。")
    if "code" not in query:
        return _refuse(request, "身份认证没有完成，请重新登录。")
    try:
        back = Returned(query["code"], query.get("iss"), pending.nonce, pending.verifier, pending.since)
        value = await _seat(request, house, await party(request, house).verify(back), link=pending.link)
    except (oidc.LoginFailed, NoIdentity, NotAClerk, AccountIsAnother) as error:
        return _refuse(request, _NO[error.code], status=error.status)
    if value is None:
        return _refuse(request, "这个开通链接不能用了：只能用一次，一天内有效。请向本单位再要一个。", status=410)
    kept = cookies.cookie(settings, cookies.seat_name(settings, "staff"), value)
    return Redirect(pending.return_to, status_code=303, cookies=[kept], headers={"Cache-Control": "no-store"})


async def _seat(request: HttpRequest, house: House, proved: Proved, *, link: str) -> str | None:
    """The clerk sits down, in the place of whoever sat at this browser; None where their link is not good."""
    before = request.cookies.get(cookies.seat_name(house.settings, "staff"), "")
    async with house.doors.work("auth") as session:
        come = clerks.join(session, house.ring, secret=link, proved=proved) if link else None
        found = await clerks.arrive(session, house.ring, proved=proved) if come is None else await come
        if found is None:
            return None
        await seats.end_by(session, before)
        device = devices.hint(request.headers.get("user-agent", ""))
        opened = await seats.begin(
            session, client_id=found.client_id, clerk_id=found.id, scopes=found.scopes, name=device,
            proved_at=proved.at,
        )  # fmt: skip
        await _note(session, found, joined=bool(link))
    return opened.session


async def _note(session: Any, found: Clerk, *, joined: bool) -> None:
    actor, action = Actor("staff", f"{found.client_id}/{found.number}"), "clerk.join" if joined else "clerk.login"
    await audit.write(
        session, actor=actor, action=action, purpose="desk", outcome="done", detail={"clerk": found.number}
    )


@post("/desk/leave", status_code=200)
async def leave(request: HttpRequest, caller: NamedDependency[Seated]) -> Response[Any]:
    """Get up: this browser can do nothing from now on, and whoever sat opposite is served no more."""
    house = deps.house(request)
    async with house.doors.work("auth") as session:
        for one in await assisted.of(session, client_id=caller.client_id, clerk=desk.clerk(caller)):
            await counter.end.fn(ids.show("as", one.id), session, house, caller)
        await seats.end(session, seat_id=ids.read("se", caller.seat_id), client_id=caller.client_id)
    gone = cookies.cookie(house.settings, cookies.seat_name(house.settings, "staff"), "", max_age=0)
    return _left(request, gone)


def _left(request: HttpRequest, gone: Any) -> Response[Any]:
    said = frame.page(request, "desk/left.html", at=clock.wall())
    said.cookies.append(gone)
    return said


def _refuse(request: HttpRequest, cause: str, *, status: int = 400) -> Response[str]:
    return frame.page(request, "desk/join.html", status=status, no=cause)


def _digest(value: str) -> str:
    return seats.digest(value).hex()


handlers = [
    Router(
        path="/",
        route_handlers=[begin, ask, join, come_back],
        exception_handlers={Exception: workpages.answer},
        include_in_schema=False,
    ),
    workpages.behind([leave], role="staff"),
]

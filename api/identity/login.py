"""The citizens' page logs in at the city's identity provider, and out again.

Promises: a login under way is tied to the browser that began it (no login forced on anybody), used once, and ends in a
new session whatever cookie was sent (no fixation); `return_to` leads only to a path of this origin; logging out ends
the session on the server. A live session is not asked to log in again, unless `prompt=login` asks for it: then the
provider must have asked the person anew, and says when (step-up, RFC 9470).
"""

import hashlib
import re
import secrets
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from api import cookies, formdocs
from api.deps import House, HttpRequest
from api.identity import devices
from api.identity.consenting import unable
from api.pages import door
from auth import citizens, oidc, sessions
from auth.oidc import Returned
from auth.realname import NoIdentity, Proved
from core.errors import Problem

_UNDER_WAY = 600
_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
_LONGEST_PATH = 2000
DEMO_CLIENT = "osmanthus"


class Pending(msgspec.Struct, frozen=True):
    """A login under way."""

    nonce: str
    verifier: str
    browser: str
    return_to: str
    since: int


def demo_secret(house: House) -> str:
    """Our secret at the embedded identity provider."""
    return house.ring.derive("demo-idp-client").hex()


def relying_party(house: House, path: str = "/login/callback") -> oidc.RelyingParty:
    """We, as the identity provider knows us: the embedded one in a demo, the configured one otherwise.

    `path` is where it sends people back to.
    """
    settings = house.settings
    issuer = f"{settings.base_url}/idp" if settings.demo_idp else settings.idp_issuer
    if issuer is None:
        raise oidc.ProviderDown("No identity provider is configured: set OSMANTHUS_IDP_ISSUER.")
    return oidc.RelyingParty(
        oidc.Provider(
            issuer=issuer,
            client_id=DEMO_CLIENT if settings.demo_idp else settings.idp_client_id,
            secret=demo_secret(house) if settings.demo_idp else settings.idp_client_secret,
            redirect_uri=f"{settings.base_url}{path}",
        )
    )


def party(request: HttpRequest, house: House) -> oidc.RelyingParty:
    """The one of this process, with its remembered metadata."""
    state = request.app.state
    if "relying_party" not in state:
        state["relying_party"] = relying_party(house)
    return state["relying_party"]


def safe_path(return_to: str | None) -> str:
    """A path of this origin, `/` for anything else (no open redirect: RFC 9700, section 4.11)."""
    if return_to is None or len(return_to) > _LONGEST_PATH or not _PATH.fullmatch(return_to):
        return "/"
    return return_to


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


@get("/login", summary="Log in at the city's identity provider")
async def begin(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """`return_to`: the path to come back to. `prompt=login`: prove yourself anew, though a session may live."""
    return_to, anew = safe_path(request.query_params.get("return_to")), request.query_params.get("prompt") == "login"
    if not anew and await _live(request, house):
        return Redirect(return_to, status_code=303)
    begun = await party(request, house).begin(anew=anew)
    name = cookies.login_name(house.settings)
    browser = request.cookies.get(name) or secrets.token_urlsafe(32)
    pending = Pending(begun.nonce, begun.verifier, _digest(browser), return_to, begun.since)
    await house.short.put(f"login:{_digest(begun.state)}", msgspec.json.encode(pending), _UNDER_WAY)
    kept = cookies.cookie(house.settings, name, browser, max_age=_UNDER_WAY)
    return Redirect(begun.address, status_code=303, cookies=[kept], headers={"Cache-Control": "no-store"})


@get("/login/callback", summary="Come back from the identity provider")
async def come_back(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """The provider's answer: `code` or `error`, `state`, `iss`."""
    query, settings = request.query_params, house.settings
    held = await house.short.take(f"login:{_digest(query.get('state', ''))}")
    pending = None if held is None else msgspec.json.decode(held, type=Pending)
    if pending is None or pending.browser != _digest(request.cookies.get(cookies.login_name(settings), "")):
        return unable(request, house, "这次登录已经过期，或者不是从这个浏览器开始的。", "请回到首页重新登录。")
    if "code" not in query:
        return unable(request, house, "身份认证没有完成。", "如果您改变了主意，什么都没有发生；需要时请重新登录。")
    try:
        came_back = Returned(query["code"], query.get("iss"), pending.nonce, pending.verifier, pending.since)
        proved = await party(request, house).verify(came_back)
        value, csrf = await _enter(request, house, proved)
    except (oidc.LoginFailed, NoIdentity, citizens.AccountTaken) as error:
        return _refused(request, house, error)
    return Redirect(
        pending.return_to,
        status_code=303,
        cookies=[
            cookies.cookie(settings, cookies.session_name(settings), value),
            cookies.cookie(settings, cookies.csrf_name(settings), csrf, readable=True),
            cookies.cookie(settings, cookies.login_name(settings), "", max_age=0),
        ],
        headers={"Cache-Control": "no-store"},
    )


async def _enter(request: HttpRequest, house: House, proved: Proved) -> tuple[str, str]:
    """The citizen arrives; a new session begins, and one that the browser had before ends."""
    async with house.doors.work("auth") as session:
        citizen_id = await citizens.arrive(session, house.ring, proved=proved)
        if before := request.cookies.get(cookies.session_name(house.settings)):
            await sessions.end(session, before)
        device = devices.hint(request.headers.get("user-agent", ""))
        return await sessions.begin(
            session, citizen_id=citizen_id, acr=proved.level, auth_time=proved.at, device=device
        )


def _refused(request: HttpRequest, house: House, error: Problem) -> Response[str]:
    causes = {
        "login_failed": ("身份认证的结果没有通过核对。", "请重新登录；如果一直这样，请联系我们。"),
        "no_identity": ("身份认证没有给出实名信息。", "请先在身份认证平台完成实名认证，再来登录。"),
        "account_taken": ("这个账号以前属于另一个人。", "请带身份证到服务窗口办理，什么都没有改变。"),
    }
    return unable(request, house, *causes[error.code], status=error.status)


async def _live(request: HttpRequest, house: House) -> bool:
    value = request.cookies.get(cookies.session_name(house.settings))
    if not value:
        return False
    async with house.doors.claims("auth") as session:
        return await sessions.find(session, value) is not None


@post("/logout", summary="Log out", request_max_body_size=65536, operation_class=formdocs.form("csrf"))
async def leave(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """End the session on the server and forget its cookies. Needs the session's CSRF token."""
    settings = house.settings
    if value := request.cookies.get(cookies.session_name(settings)):
        async with house.doors.claims("auth") as session:
            if (found := await sessions.find(session, value)) is not None:
                await cookies.must_be_same_site(request, settings, found.csrf)
                await sessions.end(session, value)
    gone = [
        cookies.cookie(settings, name, "", readable=readable, max_age=0)
        for name, readable in ((cookies.session_name(settings), False), (cookies.csrf_name(settings), True))
    ]
    # not "cookies": a browser would take those of the whole registered domain
    headers = {"Cache-Control": "no-store", "Clear-Site-Data": '"cache", "storage"'}
    return Redirect("/", status_code=303, cookies=gone, headers=headers)


handlers = [Router(path="/", route_handlers=[begin, come_back, leave], exception_handlers={Problem: door.answer})]

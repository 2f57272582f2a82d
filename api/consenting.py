"""The page on which a citizen lets an app act for them (RFC 6749, section 4.1): GET shows, POST decides.

Promises: only a pushed request is shown (RFC 9126), and it is used up by the decision, not by loading the page; the
answer goes by 303 to the registered address, with `iss` (RFC 9207), for yes and for no. Whatever does not hold before
that is said here, on a page, and sends nobody anywhere.
"""

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from api import cookies, formdocs
from api.deps import House, HttpRequest
from api.pages import door, frame
from api.requests import content_policy
from auth import authorize, clients, par, server, sessions
from auth.par import Pushed
from auth.refusals import InvalidGrant
from core.errors import Problem

_SCOPES = {"me": "查看和办理您本人的桂花分事务：分数和理由、记录、谁查过您、您的同意和优惠"}
_KNOWN = {"client_id", "request_uri", "mode"}


def _desk(house: House) -> server.Server:
    return server.of(house.settings.base_url, house.ring, house.short)


async def _session(request: HttpRequest, house: House) -> sessions.Session | None:
    value = request.cookies.get(cookies.session_name(house.settings))
    if not value:
        return None
    async with house.doors.claims("auth") as session:
        return await sessions.find(session, value)


def unable(request: HttpRequest, house: House, cause: str, step: str, *, status: int = 400) -> Response[str]:
    """A page that says what went wrong and what to do; it redirects nobody."""
    return frame.page(request, "unable.html", status=status, cause=cause, step=step, contact=house.settings.contact)


def _stale(request: HttpRequest, house: House) -> Response[str]:
    return unable(request, house, "这个授权请求不存在、已经办过或超过了五分钟。", "请回到应用里重新开始。")


@get("/oauth/authorize", summary="Ask the citizen", exception_handlers={Problem: door.answer})
async def ask(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """Show who asks for what. Takes `client_id` and `request_uri`, and nothing else."""
    query = request.query_params
    if set(query) - _KNOWN or any(len(query.getall(name, [])) != 1 for name in ("client_id", "request_uri")):
        return unable(
            request, house, "这个地址不完整，或者带有不认识的参数。", "应用需要先提交授权请求，再打开这个页面。"
        )
    try:
        pushed = await par.look(_desk(house), client_id=query["client_id"], request_uri=query["request_uri"])
    except InvalidGrant:
        return _stale(request, house)
    citizen = await _session(request, house)
    if citizen is None:
        here = f"{request.url.path}?{request.url.query}"
        return Redirect(f"/login?return_to={quote(here, safe='')}", status_code=303)
    async with house.doors.claims("auth") as session:
        client = await clients.get(session, pushed.client_id)
    if client is None:
        return _stale(request, house)
    return _page(request, client, pushed, citizen, query["request_uri"])


def _page(
    request: HttpRequest, client: clients.Client, pushed: Pushed, citizen: sessions.Session, request_uri: str
) -> Response[str]:
    home = urlsplit(pushed.redirect_uri)
    origin = f"{home.scheme}://{home.netloc}"
    shown = frame.page(
        request,
        "authorize.html",
        name=client.name,
        asks=[_SCOPES[scope] for scope in sorted(pushed.scopes)],
        origin=origin,
        client_id=client.client_id,
        request_uri=request_uri,
        csrf=citizen.csrf,
    )
    # the browser applies form-action to the redirect after the form as well
    shown.headers["Content-Security-Policy"] = content_policy(origin)
    return shown


@post(
    "/oauth/authorize",
    summary="The citizen's decision",
    request_max_body_size=65536,
    operation_class=formdocs.form("client_id", "request_uri", "decision", "csrf"),
    exception_handlers={Problem: door.answer},
)
async def decide(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """Answer the app: a code for yes, `access_denied` for anything else. A form with the session's CSRF token."""
    citizen = await _session(request, house)
    if citizen is None:
        return unable(request, house, "登录已经过期。", "请回到应用里重新开始。", status=401)
    await cookies.must_be_same_site(request, house.settings, citizen.csrf)
    sent = parse_qs((await request.body()).decode("latin-1"), max_num_fields=20)
    client_id, request_uri = (sent.get(name, [""])[0] for name in ("client_id", "request_uri"))
    desk = _desk(house)
    try:
        pushed = await par.take(desk, client_id=client_id, request_uri=request_uri)
    except InvalidGrant:
        return _stale(request, house)
    if sent.get("decision") != ["allow"]:
        said = authorize.address(pushed, desk.issuer, error="access_denied")
    else:
        async with house.doors.work("auth") as session:
            code = await authorize.give_code(
                session, pushed, citizen_id=citizen.citizen_id, acr=citizen.acr, auth_time=citizen.auth_time
            )
        said = authorize.address(pushed, desk.issuer, code=code)
    return Redirect(said, status_code=303, headers={"Cache-Control": "no-store"})


handlers = [ask, decide]

"""The page on which a citizen lets an app act for them, or a partner ask about them: GET shows, POST decides.

RFC 6749 (section 4.1). What is particular to a partner's request is in `api.identity.permission`.

Promises: only a pushed request is shown (RFC 9126), and it is used up by the decision, not by loading the page; of
racing decisions one counts. The answer goes by 303 to the registered address, with `iss` (RFC 9207), for yes and for
no. Whatever does not hold before that is said here, on a page, and sends nobody anywhere.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from api import cookies, formdocs
from api.deps import House, HttpRequest
from api.identity import permission, stepup
from api.pages import door, frame
from api.proofs import desk as desk_of
from api.requests import content_policy
from auth import authorize, clients, par, sessions
from auth.consent.ledger import NoticeOutdated
from auth.par import Pushed
from auth.refusals import InvalidGrant
from core import clock
from core.errors import Malformed, Problem

_SCOPES = {"me": "查看和办理您本人的桂花分事务：分数和理由、记录、谁查过您、您的同意和优惠"}
_FIELDS = 20
_KNOWN = {"client_id", "request_uri", "mode"}


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


def _is_fresh(citizen: sessions.Session, pushed: Pushed) -> bool:
    """Whether the login is of the level and age that the app asked for (RFC 9470, section 5)."""
    age = (clock.wall() - citizen.auth_time).total_seconds()
    return citizen.acr >= pushed.acr and (pushed.max_age is None or age <= pushed.max_age)


@get("/oauth/authorize", summary="Ask the citizen", exception_handlers={Problem: door.answer})
async def ask(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """Show who asks for what. Takes `client_id` and `request_uri`, and nothing else."""
    query = request.query_params
    if set(query) - _KNOWN or any(len(query.getall(name, [])) != 1 for name in ("client_id", "request_uri")):
        return unable(
            request, house, "这个地址不完整，或者带有不认识的参数。", "应用需要先提交授权请求，再打开这个页面。"
        )
    try:
        pushed = await par.look(desk_of(house), client_id=query["client_id"], request_uri=query["request_uri"])
    except InvalidGrant:
        return _stale(request, house)
    citizen = await _session(request, house)
    if citizen is None:
        here = f"{request.url.path}?{request.url.query}"
        return Redirect(f"/login?return_to={quote(here, safe='')}", status_code=303)
    if not _is_fresh(citizen, pushed):
        return Redirect(stepup.address(f"{request.url.path}?{request.url.query}"), status_code=303)
    async with house.doors.claims("auth") as session:
        client = await clients.get(session, pushed.client_id)
    if client is None:
        return _stale(request, house)
    return await _page(request, house, client, pushed, citizen, query["request_uri"])


async def _page(
    request: HttpRequest,
    house: House,
    client: clients.Client,
    pushed: Pushed,
    citizen: sessions.Session,
    request_uri: str,
    *,
    tick_missing: bool = False,
) -> Response[str]:
    home = urlsplit(pushed.redirect_uri)
    origin = f"{home.scheme}://{home.netloc}"
    if pushed.asked is None:
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
    else:
        shown = await permission.show(
            request, house, citizen, client,
            pushed=pushed, asked=pushed.asked, request_uri=request_uri, origin=origin, tick_missing=tick_missing,
        ) or _stale(request, house)  # fmt: skip
    # the browser applies form-action to the redirect after the form as well
    shown.headers["Content-Security-Policy"] = content_policy(origin)
    return shown


@post(
    "/oauth/authorize",
    summary="The citizen's decision",
    request_max_body_size=65536,
    operation_class=formdocs.form(
        "client_id", "request_uri", "decision", "csrf", optional=("separate", "version", "digest", "expires_on")
    ),
    exception_handlers={Problem: door.answer},
)
async def decide(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """Answer the app: a code for yes, `access_denied` for anything else. A form with the session's CSRF token."""
    citizen = await _session(request, house)
    if citizen is None:
        return unable(request, house, "登录已经过期。", "请回到应用里重新开始。", status=401)
    await cookies.must_be_same_site(request, house.settings, citizen.csrf)
    form = await _form(request)
    client_id, request_uri, desk = form.get("client_id", ""), form.get("request_uri", ""), desk_of(house)
    try:
        if form.get("decision") == "allow":
            pushed, code = await _allow(house, citizen, form)
            said = authorize.address(pushed, desk.issuer, code=code)
        else:
            pushed = await par.take(desk, client_id=client_id, request_uri=request_uri)
            if pushed.asked is not None:
                await permission.deny(house, citizen, pushed=pushed, asked=pushed.asked)
            said = authorize.address(pushed, desk.issuer, error="access_denied")
    except InvalidGrant:
        return _stale(request, house)
    except NoticeOutdated:  # the words have changed meanwhile: show the new ones
        here = urlencode({"client_id": client_id, "request_uri": request_uri})
        return Redirect(f"/oauth/authorize?{here}", status_code=303)
    except permission.NotTicked:
        return await _again(request, house, citizen, client_id, request_uri)
    return Redirect(said, status_code=303, headers={"Cache-Control": "no-store"})


async def _form(request: HttpRequest) -> dict[str, str]:
    """The fields of a form, each by its first value. Raises Malformed: no page of ours sends files here."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise Malformed("Send the fields as application/x-www-form-urlencoded.")
    try:
        sent = parse_qs((await request.body()).decode(), max_num_fields=_FIELDS)
    except ValueError as error:
        raise Malformed("The form has too many fields or is no UTF-8.") from error
    return {name: values[0] for name, values in sent.items()}


async def _allow(house: House, citizen: sessions.Session, form: Mapping[str, str]) -> tuple[Pushed, str]:
    """The request and the code for it. The request is taken last: what fails before leaves it to be decided."""
    desk, which = desk_of(house), {"client_id": form.get("client_id", ""), "request_uri": form.get("request_uri", "")}
    pushed = await par.look(desk, **which)
    if not _is_fresh(citizen, pushed):
        again: Any = {"login": stepup.address(f"/oauth/authorize?{urlencode(which)}")}
        raise stepup.StaleLogin("The app asked for a newer login.", **again)
    if pushed.asked is None:
        async with house.doors.work("auth") as session:
            code = await authorize.give_code(
                session, pushed, citizen_id=citizen.citizen_id, acr=citizen.acr, auth_time=citizen.auth_time
            )
            await par.take(desk, **which)
        return pushed, code
    async with house.doors.work("citizen", proof=citizen.hash) as session:
        code = await permission.allow(session, house, citizen, pushed=pushed, asked=pushed.asked, form=form)
        await par.take(desk, **which)
    return pushed, code


async def _again(
    request: HttpRequest, house: House, citizen: sessions.Session, client_id: str, request_uri: str
) -> Response[Any]:
    """The page once more, for a yes without its tick."""
    pushed = await par.look(desk_of(house), client_id=client_id, request_uri=request_uri)
    async with house.doors.claims("auth") as session:
        client = await clients.get(session, client_id)
    if client is None:
        return _stale(request, house)
    return await _page(request, house, client, pushed, citizen, request_uri, tick_missing=True)


handlers = [ask, decide]

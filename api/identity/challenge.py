"""`POST /oauth/challenge`: the city's own mini-program logs a person in, one piece of evidence after the other.

draft-ietf-oauth-first-party-apps-04 with PKCE and DPoP. The answer is `authorization_code`, or 403
`insufficient_authorization` with an `auth_session` and what to show next (`next`: `wechat_code`, `phone_code` or
`oidc_code`, the last with the address to open). What others say is asked before anything of ours is touched.
"""

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from api import formdocs
from api.deps import House, HttpRequest
from api.identity import login, oauth
from api.pages import frame
from auth import assurance, challenge, oidc, server
from auth.accounts import Came
from auth.challenge import Known, Session
from auth.miniprogram import MiniProgram, Misregistered
from auth.oidc import Returned
from auth.realname import Proved
from auth.refusals import InvalidGrant, Refusal
from core.errors import Conflict, Forbidden, TooMany

_A_MINUTE = 60
_CHALLENGES_A_MINUTE = 300
_EVIDENCE = ("wechat_code", "phone_code", "oidc_code")


class NotThisPerson(Refusal):
    """What the identity provider proved does not fit the account that was shown."""

    code = "access_denied"
    status = 403
    title = "The proved person and the account do not fit"


def _mini_program(request: HttpRequest, house: House) -> MiniProgram:
    """The one of this process, with its remembered access token."""
    state, settings = request.app.state, house.settings
    if settings.wechat_appid is None or settings.wechat_secret is None:
        raise Misregistered("No mini-program is configured here.")
    if "mini_program" not in state:
        state["mini_program"] = MiniProgram(settings.wechat_appid, settings.wechat_secret, api=settings.wechat_api)
    return state["mini_program"]


def _party(request: HttpRequest, house: House) -> oidc.RelyingParty:
    """We, at the identity provider, for people who come from the mini-program."""
    if "challenge_party" not in request.app.state:
        request.app.state["challenge_party"] = login.relying_party(house, "/oauth/challenge/returned")
    return request.app.state["challenge_party"]


@post(
    "/oauth/challenge",
    status_code=200,
    summary="Log in from the city's mini-program",
    request_max_body_size=65536,
    operation_class=formdocs.form(
        "client_id",
        optional=(
            *("code_challenge", "code_challenge_method", "scope", "resource", "acr_values", "auth_session"),
            *(*_EVIDENCE, "oidc_state", "oidc_iss"),
        ),
    ),
    exception_handlers={Refusal: oauth.refused},
)
async def ask(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """Show at most one of `wechat_code`, `phone_code`, `oidc_code`; `acr_values` says which level the app needs."""
    form = await oauth.read_form(request)
    whence = request.client.host if request.client else ""
    if await house.short.count(f"challenge:{whence}", _A_MINUTE) > _CHALLENGES_A_MINUTE:
        raise TooMany("Too many logins from this address.", retry_after=_A_MINUTE)
    proof = await oauth.prove(request, house)
    if len([one for one in _EVIDENCE if one in form]) > 1:
        raise Refusal("Show one piece of evidence at a time.")
    under_way = await _session(house, form, proof.jkt)
    seen = await _seen(request, house, under_way, form)
    if "auth_session" in form:
        await challenge.take(_desk(house), form["auth_session"])
    async with house.doors.work("auth") as session:
        known = await _known(session, house, under_way.known, seen)
        if known is not None and known.level >= under_way.wanted:
            code = await challenge.give_code(session, under_way, known)
            return oauth.answer({"authorization_code": code}, proof)
    body = await _next(request, house, msgspec.structs.replace(under_way, known=known))
    return oauth.answer(body, proof, status=403)


def _desk(house: House) -> server.Server:
    return server.of(house.settings.base_url, house.ring, house.short)


async def _session(house: House, form: dict[str, str], jkt: str) -> Session:
    """The session that the request goes on with, or a new one."""
    desk, ours = _desk(house), house.settings.wechat_client
    async with house.doors.claims("auth") as session:
        client = await server.authenticate(session, desk, form)
    if "auth_session" in form:
        return await challenge.look(desk, form["auth_session"], client_id=client.client_id, jkt=jkt)
    return challenge.begin(desk, client, form, ours=ours, jkt=jkt)


async def _seen(
    request: HttpRequest, house: House, under_way: Session, form: dict[str, str]
) -> Came | Proved | str | None:
    """What others say of the evidence: whose account, whose name, which number; None where there is none yet."""
    if "wechat_code" in form:
        return await _mini_program(request, house).session(form["wechat_code"])
    if "phone_code" in form:
        if under_way.known is None:
            raise InvalidGrant("A number alone is nobody: send wechat_code first.")
        return await _mini_program(request, house).phone(form["phone_code"])
    if "oidc_code" not in form:
        return None
    begun = under_way.oidc
    if begun is None or form.get("oidc_state") != begun.state:
        raise InvalidGrant("The identity provider's answer is not of this login; begin again.")
    back = Returned(form["oidc_code"], form.get("oidc_iss"), begun.nonce, begun.verifier, begun.since)
    try:
        return await _party(request, house).verify(back)
    except (oidc.LoginFailed, Forbidden) as error:
        raise InvalidGrant(error.detail) from error


async def _known(
    session: AsyncSession, house: House, known: Known | None, seen: Came | Proved | str | None
) -> Known | None:
    """Who the person is, with what was just seen."""
    if isinstance(seen, Came):
        return await challenge.by_account(session, house.ring, seen)
    if isinstance(seen, str):
        return await challenge.with_phone(session, house.ring, known, seen)
    if seen is None:
        return known
    try:
        return await challenge.with_name(session, house.ring, known, seen)
    except (Conflict, Forbidden) as error:
        raise NotThisPerson(error.detail) from error


async def _next(request: HttpRequest, house: House, under_way: Session) -> dict[str, Any]:
    """What is still missing, and the session to go on with."""
    wanted, more = under_way.wanted, dict[str, Any]()
    step = "wechat_code" if under_way.known is None else "phone_code"
    if wanted == assurance.REAL_NAME:
        begun = await _party(request, house).begin(anew=True)
        under_way = msgspec.structs.replace(under_way, oidc=begun)
        step, more = "oidc_code", {"oidc_address": begun.address}
    return {
        "error": "insufficient_authorization",
        "error_description": f"Show {step} next: {assurance.urn(wanted)} is not reached yet.",
        "auth_session": await challenge.keep(_desk(house), under_way),
        "expires_in": challenge.LIFE,
        "next": step,
        **more,
    }


@get("/oauth/challenge/returned", include_in_schema=False)
async def returned(request: HttpRequest) -> Response[str]:
    """Where the identity provider sends people who came from the mini-program, which reads `code` from the address.

    The code is worthless to whoever sees it: its verifier never leaves the server (RFC 7636).
    """
    return frame.page(request, "returned.html")


handlers = [ask, returned]

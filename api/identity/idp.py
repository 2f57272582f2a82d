"""The demo's identity provider: OpenID Connect for made-up people, on loopback and nowhere else.

Promises: `handlers_for` refuses to assemble it for any origin but plain http on loopback; one client (us), exact
redirect address, PKCE S256, codes of a minute used once, ten wrong passwords in five minutes for an account. It is a
stand-in for a city's real-name login: its people and passwords are printed on its login page.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import msgspec
from joserfc import jwt
from litestar import MediaType, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from litestar.types import ControllerRouterHandler

from api.deps import House, HttpRequest
from api.identity.login import DEMO_CLIENT, demo_secret
from api.identity.oauth import read_form, refused
from api.pages import door, frame
from auth.refusals import InvalidClient, InvalidGrant, Refusal, UnsupportedGrantType
from core import clock
from core.errors import TooMany
from core.settings import Settings

KID = "idp-demo-1"
_LIFE = 60
_TRIES, _WINDOW = 10, 300
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_BACK = {"/login/callback", "/oauth/challenge/returned", "/desk/callback"}
_FIELDS = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)


class NotADemo(Exception):
    """The embedded identity provider was asked for where real people could meet it."""


class Account(msgspec.Struct, frozen=True):
    """A made-up person who can log in."""

    login: str
    password: str
    sub: str
    name: str
    id_number: str
    note: str = ""


class Code(msgspec.Struct, frozen=True):
    """What a code stands for."""

    sub: str
    nonce: str
    challenge: str
    auth_time: int


def handlers_for(settings: Settings) -> list[ControllerRouterHandler]:
    """The provider's routes in a demo, none otherwise. Raises NotADemo for a demo on a public origin."""
    if not settings.demo_idp:
        return []
    origin = urlsplit(settings.base_url)
    if origin.scheme != "http" or origin.hostname not in _LOOPBACK:
        raise NotADemo("The demo's identity provider runs on http and loopback only: unset OSMANTHUS_DEMO_IDP.")
    return [
        Router(
            path="/idp",
            route_handlers=[discovery, jwks, ask, answer, token],
            exception_handlers={Refusal: refused, TooMany: door.answer},
        )
    ]


def must_listen_on_loopback(settings: Settings, host: str) -> None:
    """Raise NotADemo for a demo whose server would listen where others can reach it."""
    if settings.demo_idp and host not in _LOOPBACK:
        raise NotADemo("The demo's identity provider listens on loopback only: unset OSMANTHUS_DEMO_IDP or --host.")


def _issuer(house: House) -> str:
    return f"{house.settings.base_url}/idp"


def _accounts(request: HttpRequest) -> list[Account]:
    return request.app.state["demo_accounts"]


def accounts(citizens: Iterable[Mapping[str, Any]]) -> list[Account]:
    """Those of a kit's `citizens` who can log in; `sub` is the login unless the entry has one of its own."""
    return [
        msgspec.convert({"sub": one["login"], **one, "note": one.get("note") or ""}, Account)
        for one in citizens
        if one.get("login")
    ]


@get("/.well-known/openid-configuration", include_in_schema=False)
async def discovery(house: NamedDependency[House]) -> dict[str, Any]:
    """OpenID Connect Discovery 1.0."""
    issuer = _issuer(house)
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks.json",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile"],
        "claims_supported": ["sub", "name", "id_number", "auth_time", "nonce"],
        "authorization_response_iss_parameter_supported": True,
    }


@get("/jwks.json", include_in_schema=False)
async def jwks(house: NamedDependency[House]) -> dict[str, Any]:
    """The key of its ID tokens."""
    return {"keys": [house.ring.es256(KID).as_dict(private=False)]}


@get("/authorize", include_in_schema=False)
async def ask(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """The login form, with the demo's people to choose from."""
    return _form(request, _request(house, dict(request.query_params)))


@post("/authorize", include_in_schema=False, request_max_body_size=65536)
async def answer(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """Check login and password; back to the client with a code."""
    sent = await read_form(request)
    asked = _request(house, sent)
    login = sent.get("login", "")
    tried = f"idp:{hashlib.sha256(login.encode()).hexdigest()}"
    if await house.short.peek(f"{tried}:shut") is not None:
        raise TooMany(retry_after=_WINDOW)
    person = next((one for one in _accounts(request) if one.login == login), None)
    if person is None or not hmac.compare_digest(person.password.encode(), sent.get("password", "").encode()):
        if await house.short.count(tried, _WINDOW) >= _TRIES:
            await house.short.put(f"{tried}:shut", b"1", _WINDOW)
        return _form(request, asked, login=login, failed=True)
    value = secrets.token_urlsafe(32)
    held = Code(person.sub, asked["nonce"], asked["code_challenge"], int(clock.wall().timestamp()))
    await house.short.put(_place(value), msgspec.json.encode(held), _LIFE)
    back = {"code": value, "state": asked["state"], "iss": _issuer(house)}
    return Redirect(f"{asked['redirect_uri']}?{urlencode(back)}", status_code=303)


@post("/token", include_in_schema=False, status_code=200, request_max_body_size=65536)
async def token(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """A code for an ID token (OpenID Connect Core, section 3.1.3)."""
    form = await read_form(request)
    if not _is_our_client(request, house):
        raise InvalidClient("Authenticate with client_secret_basic.")
    if form.get("grant_type") != "authorization_code":
        raise UnsupportedGrantType("Use authorization_code.")
    held = await house.short.take(_place(form.get("code", "")))
    code = None if held is None else msgspec.json.decode(held, type=Code)
    digest = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
    if code is None or digest.rstrip(b"=").decode() != code.challenge:
        raise InvalidGrant("The code is unknown, used or older than a minute.")
    person = next(one for one in _accounts(request) if one.sub == code.sub)
    body = {
        "access_token": secrets.token_urlsafe(24),
        "token_type": "Bearer",
        "expires_in": 60,
        "id_token": _id_token(house, person, code),
    }
    return Response(body, media_type=MediaType.JSON, headers={"Cache-Control": "no-store"})


def _id_token(house: House, person: Account, code: Code) -> str:
    now = int(clock.wall().timestamp())
    claims = {
        "iss": _issuer(house),
        "aud": DEMO_CLIENT,
        "sub": person.sub,
        "iat": now,
        "exp": now + 300,
        "auth_time": code.auth_time,
        "nonce": code.nonce,
        "name": person.name,
        "id_number": person.id_number,
    }
    return jwt.encode({"alg": "ES256", "kid": KID}, claims, house.ring.es256(KID), algorithms=["ES256"])


def _request(house: House, sent: dict[str, str]) -> dict[str, str]:
    """The authorization request's own fields, when they are those of our one client. Raises Refusal."""
    asked = {name: sent.get(name, "") for name in _FIELDS}
    right = (
        asked["client_id"] == DEMO_CLIENT
        and asked["redirect_uri"] in {f"{house.settings.base_url}{path}" for path in _BACK}
        and asked["response_type"] == "code"
        and "openid" in asked["scope"].split()
        and asked["code_challenge_method"] == "S256"
        and all(asked[name] for name in ("state", "nonce", "code_challenge"))
    )
    if not right:
        raise Refusal("This is not a request of the one client that this provider knows.")
    return asked


def _form(request: HttpRequest, asked: dict[str, str], *, login: str = "", failed: bool = False) -> Response[str]:
    return frame.page(
        request,
        "login_idp.html",
        status=401 if failed else 200,
        asked=asked,
        people=_accounts(request),
        login=login,
        failed=failed,
    )


def _is_our_client(request: HttpRequest, house: House) -> bool:
    """Whether the request carries our id and secret (RFC 6749, section 2.3.1)."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        return False
    known = hmac.compare_digest(unquote(secret).encode(), demo_secret(house).encode())
    return scheme.lower() == "basic" and name == DEMO_CLIENT and known


def _place(code: str) -> str:
    return f"idp-code:{hashlib.sha256(code.encode()).hexdigest()}"

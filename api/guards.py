"""Who is calling: litestar guards that run before a body is parsed, and the typed callers that handlers receive.

A citizen comes by the page's session cookie (with a CSRF token for anything unsafe) or by a DPoP-bound token of scope
`me`; everybody else by a DPoP-bound token alone. RFC 9449 (section 7), RFC 9068, RFC 6750 (section 3). Promises: the
token's row is looked up on every request; only `partner_hot` leaves that to its door's gate, which proves the row in
the statement that answers. Add `send_nonce` to the app's `before_send`, or clients learn new nonces by failing.
"""

import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, NoReturn, cast

import msgspec
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from api import cookies
from api.deps import Connection, House, HttpRequest, house
from auth import clients, dpop, jose, server, sessions, tokens
from auth.refusals import NonceWanted, ProofRefused, TokenRefused
from core.errors import Forbidden, Malformed, Unauthenticated

Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]

_ALGORITHMS = f'algs="{" ".join(jose.ALGORITHMS)}"'


class Citizen(msgspec.Struct, frozen=True):
    """A citizen, by cookie (`client_id` None, `csrf` set: forms need it) or through an app."""

    id: uuid.UUID
    client_id: str | None
    acr: int
    auth_time: datetime
    csrf: str | None = None


class Client(msgspec.Struct, frozen=True):
    """A partner, source, city-card operator or staff system; `jti_hash` finds its token's row."""

    client_id: str
    role: str
    scopes: frozenset[str]
    kinds: frozenset[str]
    perks: frozenset[str]
    jti_hash: bytes


class InvalidToken(Unauthenticated):
    """The access token is not ours, not whole, expired, revoked, or sent by the holder of another key."""

    code = "invalid_token"
    title = "The access token does not hold"


class InvalidProof(Unauthenticated):
    """The DPoP proof does not hold for this request."""

    code = "invalid_dpop_proof"
    title = "The DPoP proof does not hold"


class NonceNeeded(Unauthenticated):
    """The proof holds no nonce of ours, or an old one."""

    code = "use_dpop_nonce"
    title = "Use the DPoP nonce of this answer"


class InvalidRequest(Malformed):
    """Credentials where none may be, or twice."""

    code = "invalid_request"
    title = "Credentials are sent once, in the Authorization header"


async def citizen(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Let citizens in."""
    here = house(connection)
    if _header(connection, b"authorization"):
        _remember(connection, await _citizen_by_token(connection, here))
        return
    value = connection.cookies.get(cookies.session_name(here.settings))
    async with here.doors.claims("auth") as session:
        found = await sessions.find(session, value) if value else None
    if found is None:
        _nobody("Log in at /login, or send a DPoP-bound access token of scope me.")
    if _method(connection) not in cookies.SAFE:
        await cookies.must_be_same_site(connection, here.settings, found.csrf)
    _remember(connection, Citizen(found.citizen_id, None, found.acr, found.auth_time, found.csrf))


def client(role: str, scope: str) -> Guard:
    """A guard that lets in clients of `role` with `scope`, and looks their token's row up."""

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        here = house(connection)
        access = await _proved(connection, here)
        _remember(connection, await _client(here, access, role, scope))

    return guard


def partner_hot(scope: str) -> Guard:
    """As `client("partner", scope)`, for handlers whose gate function proves the token's row by `jti_hash`.

    The row is looked up once a minute here, for the client's perks; no row from the gate means `invalid_token()`.
    """

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        here = house(connection)
        issuer = _server(here).tokens
        access = await _proved(connection, here)
        if (known := issuer.known(access)) is None:
            _remember(connection, await _client(here, access, "partner", scope))
            return
        _must_have(access, scope, known.role == "partner")
        _remember(connection, _caller(known, access))

    return guard


async def provide_citizen(request: HttpRequest) -> Citizen:
    """Dependency `caller` behind `guards.citizen`."""
    return request.scope["state"]["caller"]


async def provide_client(request: HttpRequest) -> Client:
    """Dependency `caller` behind `guards.client` and `guards.partner_hot`."""
    return request.scope["state"]["caller"]


async def send_nonce(message: Message, scope: Scope) -> None:
    """A `before_send` hook: tell a client whose nonce is about to end the next one (RFC 9449, section 8.2)."""
    if message["type"] != "http.response.start":
        return
    nonce = cast("dict[str, Any]", scope).get("state", {}).get("dpop_nonce")
    headers = list(message.get("headers", ()))
    if nonce is not None and all(name.lower() != b"dpop-nonce" for name, _ in headers):
        message["headers"] = [*headers, (b"dpop-nonce", nonce.encode())]


def invalid_token(detail: str = "The access token is revoked or expired; get a new one.") -> InvalidToken:
    """The 401 for a dead token, for a door that finds no live row."""
    return InvalidToken(detail, headers=_challenge("invalid_token", detail))


async def _citizen_by_token(connection: Connection, here: House) -> Citizen:
    access = await _proved(connection, here)
    async with here.doors.claims("auth") as session:
        live = await tokens.live(session, access.jti_hash)
    if live is None:
        raise invalid_token()
    _must_have(access, "me", live.citizen_id is not None)
    if live.citizen_id is None or access.auth_time is None:
        raise invalid_token()
    return Citizen(live.citizen_id, access.client_id, access.acr, access.auth_time)


async def _client(here: House, access: tokens.Access, role: str, scope: str) -> Client:
    async with here.doors.claims("auth") as session:
        live = await tokens.live(session, access.jti_hash)
    if live is None:
        raise invalid_token()
    _must_have(access, scope, live.client.role == role)
    _server(here).tokens.know(access, live.client)
    return _caller(live.client, access)


def _caller(known: clients.Client, access: tokens.Access) -> Client:
    return Client(known.client_id, known.role, access.scopes, known.kinds, known.perks, access.jti_hash)


def _must_have(access: tokens.Access, scope: str, right_role: bool) -> None:  # noqa: FBT001  (one private caller's word)
    """Raise Forbidden (RFC 6750, section 3.1: insufficient_scope) without the scope or the role."""
    if scope in access.scopes and right_role:
        return
    detail = f"This needs a token with the scope {scope}."
    raise Forbidden(detail, headers=_challenge("insufficient_scope", detail, scope))


async def _proved(connection: Connection, here: House) -> tokens.Access:
    """The token of a request, with its signature and the sender's proof checked; its row is not."""
    desk = _server(here)
    token = _token(connection)
    try:
        access = desk.tokens.read(token)
    except TokenRefused as error:
        raise invalid_token(f"{error}.".capitalize()) from error
    url = here.settings.base_url + connection.scope["path"]
    try:
        proof = await dpop.check(
            _header(connection, b"dpop"),
            method=_method(connection),
            url=url,
            nonces=desk.nonces,
            short=desk.short,
            access_token=token,
        )
    except NonceWanted as error:
        headers = {**_challenge("use_dpop_nonce", error.detail), **error.headers}
        raise NonceNeeded(error.detail, headers=headers) from error
    except ProofRefused as error:
        raise InvalidProof(error.detail, headers=_challenge("invalid_dpop_proof", error.detail)) from error
    if proof.next_nonce is not None:
        connection.scope["state"]["dpop_nonce"] = proof.next_nonce
    if proof.jkt != access.jkt:
        raise invalid_token("The token is bound to another key than that of the DPoP proof.")
    return access


def _token(connection: Connection) -> str:
    """The one DPoP token of the Authorization header (RFC 9449, section 7.1; FAPI 2.0, 5.3.4: header only)."""
    if "access_token" in connection.query_params:
        raise InvalidRequest("An access token never travels in an address: send it in the Authorization header.")
    values = _header(connection, b"authorization")
    if not values:
        _nobody("Send Authorization: DPoP with an access token, and a DPoP proof.")
    if len(values) > 1:
        raise InvalidRequest("Send one Authorization header.")
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "dpop":
        raise invalid_token("Tokens are bound to a key: use the DPoP scheme with a proof.")
    return token.strip()


def _method(connection: Connection) -> str:
    return cast("dict[str, Any]", connection.scope)["method"]


def _header(connection: Connection, name: bytes) -> list[str]:
    """Every value of a header: a mapping would hide all but one."""
    return [value.decode("latin-1") for key, value in connection.scope["headers"] if key.lower() == name]


def _challenge(error: str, detail: str, scope: str | None = None) -> dict[str, str]:
    more = "" if scope is None else f', scope="{scope}"'
    return {"WWW-Authenticate": f'DPoP error="{error}", error_description="{detail}"{more}, {_ALGORITHMS}'}


def _nobody(detail: str) -> NoReturn:
    """401 without an error code, since nothing was sent (RFC 6750, section 3.1)."""
    raise Unauthenticated(detail, headers={"WWW-Authenticate": f"DPoP {_ALGORITHMS}"})


def _remember(connection: Connection, caller: Citizen | Client) -> None:
    connection.scope["state"]["caller"] = caller


def _server(here: House) -> server.Server:
    return server.of(here.settings.base_url, here.ring, here.short)

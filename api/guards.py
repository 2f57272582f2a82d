"""Who is calling: litestar guards that run before a body is parsed, and the typed callers that handlers receive.

A citizen comes by the page's session cookie (with a CSRF token for anything unsafe) or by a DPoP-bound token of scope
`me`; everybody else by a DPoP-bound token alone. RFC 9449 (section 7), RFC 9068, RFC 6750 (section 3). Promises: the
token's row is looked up on every request; only `partner_hot` leaves that to its door's gate, which proves the row in
the statement that answers. Add `send_nonce` to the app's `before_send`, or clients learn new nonces by failing.
"""

import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, cast

import msgspec
from litestar.handlers import BaseRouteHandler
from litestar.types import Message, Scope

from api import behalf, cookies, refused
from api.deps import Connection, House, HttpRequest, house
from api.proofs import (
    InvalidRequest,
    desk,
    header,
    insufficient_scope,
    invalid_token,
    method,
    nobody,
    proved,
    spend_left,
)
from auth import atjwt, clients, sessions, tokens
from auth.counter import assisted, proxies
from core import ids

Guard = Callable[[Connection, BaseRouteHandler], Awaitable[None]]


GRAVE_AT_COUNTER = 60
_BEHALF = b"osmanthus-on-behalf-of"


class Citizen(msgspec.Struct, frozen=True):
    """A citizen, by cookie (`client_id` None; `csrf`, which forms need, and `session_id` set) or through an app.

    `proof` finds their session's or token's row (32 bytes): the citizen door's row policies go by it.
    `actor` acts for them: `staff:<client>/<clerk>`, with the citizen present and proved anew at `proved_again_at`, or
    `proxy:<id>`, a relative who may only look: `proof` is then the relative's, and `behalf` their proxy.
    """

    id: uuid.UUID
    client_id: str | None
    acr: int
    auth_time: datetime
    proof: bytes
    csrf: str | None = None
    actor: str | None = None
    proved_again_at: datetime | None = None
    session_id: uuid.UUID | None = None
    view_only: bool = False
    behalf: uuid.UUID | None = None


class Client(msgspec.Struct, frozen=True):
    """A partner, source, city-card operator or staff system; `jti_hash` finds its token's row.

    `grant`: perk and subject that a token is good for, when it stands for one consent (RFC 9396). `clerk`: the person
    of an office who sits at the desk, as the login proved them (`api.seated`); None where a system calls.
    """

    client_id: str
    role: str
    scopes: frozenset[str]
    kinds: frozenset[str]
    perks: frozenset[str]
    jti_hash: bytes
    jkt: str
    grant: tuple[str, str] | None = None
    clerk: str | None = None

    @property
    def by(self) -> str:
        """The one name of who acts, in entries and approvals: `<client>/<clerk>`, or the whole system."""
        return self.client_id if self.clerk is None else f"{self.client_id}/{self.clerk}"


async def citizen(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Let citizens in, and relatives who look for one (`Osmanthus-On-Behalf-Of: px_…`)."""
    here = house(connection)
    by_token = bool(header(connection, b"authorization"))
    found = await (_citizen_by_token if by_token else _citizen_by_cookie)(connection, here)
    if named := header(connection, _BEHALF):
        found = await _looking(connection, here, found, named)
    _remember(connection, found)


async def _citizen_by_cookie(connection: Connection, here: House) -> Citizen:
    value = connection.cookies.get(cookies.session_name(here.settings))
    async with here.doors.claims("auth") as session:
        found = await sessions.find(session, value) if value else None
    if found is None:
        nobody("Log in at /login, or send a DPoP-bound access token of scope me.")
    if method(connection) not in cookies.SAFE:
        await cookies.must_be_same_site(connection, here.settings, found.csrf)
    return Citizen(found.citizen_id, None, found.acr, found.auth_time, found.hash, found.csrf, session_id=found.id)


async def _looking(connection: Connection, here: House, relative: Citizen, named: list[str]) -> Citizen:
    """The citizen for whom a relative looks; another's proxy is absent. The request leaves its entry here."""
    if len(named) > 1 or relative.actor is not None:
        raise InvalidRequest("Osmanthus-On-Behalf-Of is sent once, by the relative themselves.")
    async with here.doors.claims("auth") as session:
        looking = await proxies.held(session, proxy_id=ids.read("px", named[0]), holder=relative.id)
    await behalf.proxy(connection, here, looking)
    changed = {"id": looking.citizen_id, "actor": f"proxy:{named[0]}", "view_only": True, "behalf": looking.id}
    return msgspec.structs.replace(relative, **changed)


def client(role: str, scope: str) -> Guard:
    """A guard that lets in clients of `role` with `scope`, and looks their token's row up."""

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        here = house(connection)
        access = await proved(connection, here)
        _remember(connection, await _client(connection, here, access, role, scope))

    return guard


def partner_hot(scope: str, *, spends: bool = False) -> Guard:
    """As `client("partner", scope)`, for handlers whose gate function proves the token's row by `jti_hash`.

    `spends`: that function spends the proof, too, where the store's rows are in its reach (`proofs.unspent`).

    A token that stands for one consent is let in too: the gate proves that it is used for that one. The row is looked
    up once a minute here, for the client's perks; no row from the gate means `invalid_token()`.
    """

    async def guard(connection: Connection, _handler: BaseRouteHandler) -> None:
        here = house(connection)
        issuer = desk(here).tokens
        access = await proved(connection, here, spend=not (spends and here.short.in_database))
        if (known := issuer.known(access)) is None:
            _remember(connection, await _client(connection, here, access, "partner", scope, grants=True))
            return
        _must_have(access, scope, known.role, "partner", grants=True)
        _remember(connection, _caller(known, access))

    return guard


async def provide_citizen(request: HttpRequest) -> Citizen:
    """Dependency `caller` behind `guards.citizen`."""
    return request.scope["state"]["caller"]


async def provide_client(request: HttpRequest) -> Client:
    """Dependency `caller` behind `guards.client` and `guards.partner_hot`."""
    return request.scope["state"]["caller"]


async def send_nonce(message: Message, scope: Scope) -> None:
    """A `before_send` hook: tell a client whose nonce is about to end the next one (RFC 9449, section 8.2).

    A proof that no statement came to spend, as of a body that cannot be read, is spent here at the latest.
    """
    if message["type"] != "http.response.start":
        return
    state = cast("dict[str, Any]", scope).get("state", {})
    await spend_left(state, scope)
    if (nonce := state.get("dpop_nonce")) is None:
        return
    headers = list(message.get("headers", ()))
    if all(name.lower() != b"dpop-nonce" for name, _ in headers):
        message["headers"] = [*headers, (b"dpop-nonce", nonce.encode())]


async def _citizen_by_token(connection: Connection, here: House) -> Citizen:
    access = await proved(connection, here)
    async with here.doors.claims("auth") as session:
        live = await tokens.live(session, access.jti_hash)
    if live is None:
        raise invalid_token()
    if live.citizen_id is None or access.auth_time is None or "me" not in access.scopes:
        raise insufficient_scope("me")
    if live.actor is not None:
        return await _at_counter(connection, here, access, live.actor)
    return Citizen(live.citizen_id, access.client_id, access.acr, access.auth_time, access.jti_hash)


async def _at_counter(connection: Connection, here: House, access: atjwt.Access, actor: str) -> Citizen:
    """A citizen in whose presence a clerk acts; the request leaves its entry here."""
    async with here.doors.claims("auth") as session:
        sitting = await assisted.by_token(session, access.jti_hash)
    if sitting is None or access.auth_time is None:
        raise invalid_token("The assisted session has ended; open a new one.")
    await behalf.clerk(connection, here, sitting)
    return Citizen(
        sitting.citizen_id,
        access.client_id,
        access.acr,
        access.auth_time,
        access.jti_hash,
        actor=actor,
        proved_again_at=sitting.proved_again_at,
    )


async def _client(
    connection: Connection, here: House, access: atjwt.Access, role: str, scope: str, *, grants: bool = False
) -> Client:
    async with here.doors.claims("auth") as session:
        live = await tokens.live(session, access.jti_hash)
    if live is None:
        raise invalid_token()
    if role == live.client.role == "staff" and scope not in access.scopes:
        await refused.note(connection, here, live.client.client_id, scope)
    _must_have(access, scope, live.client.role, role, grants=grants)
    desk(here).tokens.know(access, live.client)
    return _caller(live.client, access)


def _caller(known: clients.Client, access: atjwt.Access) -> Client:
    grant = (access.details[0]["perk"], access.details[0]["subject"]) if access.details else None
    return Client(
        known.client_id, known.role, access.scopes, known.kinds, known.perks, access.jti_hash, access.jkt, grant
    )


def _must_have(access: atjwt.Access, scope: str, role: str, wanted: str, *, grants: bool) -> None:
    if scope not in access.scopes or role != wanted or (access.details and not grants):
        raise insufficient_scope(scope)


def _remember(connection: Connection, caller: Citizen | Client) -> None:
    connection.scope["state"]["caller"] = caller

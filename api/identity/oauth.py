"""The OAuth endpoints for clients: metadata, keys, token, PAR, revocation, introspection.

Promises: parameters come once, in a form body; every answer is `Cache-Control: no-store`; errors have the shape of
RFC 6749 (section 5.2). What they mean is decided in `auth`.
"""

from typing import Any
from urllib.parse import parse_qsl

from litestar import MediaType, Response, Router, get, post
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from api import formdocs
from api.deps import House, HttpRequest
from api.identity import permission
from api.proofs import desk as desk_of
from api.public import creditcodes
from api.wallet import config as wallet
from api.wallet import tokens as offers
from auth import authorize, dpop, introspection, par, refresh, renewal, revocation, server, tokens
from auth.refusals import CodeReplayed, InvalidDetails, RefreshReused, Refusal, UnsupportedGrantType
from core.errors import TooMany

_FORM = "application/x-www-form-urlencoded"
_BODY = 65536
_FIELDS = 40
_A_MINUTE = 60
_TOKENS_A_MINUTE = 600
_PUSHES_A_MINUTE = 600
_AUTH = ("client_assertion_type", "client_assertion")
_GRANTS = {"client_credentials", "authorization_code", "refresh_token", offers.GRANT}
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_CACHED = {"Cache-Control": "public, max-age=300"}


def refused(request: HttpRequest, error: Refusal) -> Response[dict[str, str]]:
    """An OAuth error response."""
    request.scope["state"]["code"] = error.code  # for the request's log line
    headers = {**_NO_STORE, **error.headers}
    return Response({"error": error.code, "error_description": error.detail}, status_code=error.status, headers=headers)


async def read_form(request: HttpRequest) -> dict[str, str]:
    """The parameters of a form body; empty ones count as absent, a repeated one is refused (RFC 6749, section 3.2)."""
    if not request.headers.get("content-type", "").lower().startswith(_FORM):
        detail = f"Send the parameters as {_FORM}."
        raise Refusal(detail)
    try:
        pairs = parse_qsl(
            (await request.body()).decode(), keep_blank_values=True, errors="strict", max_num_fields=_FIELDS
        )
    except ValueError as error:
        raise Refusal("The body is not a form of at most 40 fields in UTF-8.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise Refusal("A parameter comes twice.")
    return {name: value for name, value in form.items() if value}


async def prove(request: HttpRequest, house: House) -> dpop.Proof:
    """The DPoP proof of a request to one of these endpoints. Raises ProofRefused, NonceWanted."""
    desk = desk_of(house)
    url = f"{house.settings.base_url}{request.scope['path']}"
    return await dpop.check(_proofs(request), method="POST", url=url, nonces=desk.nonces, short=desk.short)


def _proofs(request: HttpRequest) -> list[str]:
    """Every DPoP header: a mapping would hide all but one."""
    return [value.decode("latin-1") for name, value in request.scope["headers"] if name.lower() == b"dpop"]


def answer(body: Any, proof: dpop.Proof | None = None, *, status: int = 200) -> Response[Any]:
    """A JSON answer that nobody stores, with the next nonce where one is due."""
    nonce = {} if proof is None or proof.next_nonce is None else {"DPoP-Nonce": proof.next_nonce}
    return Response(body, status_code=status, media_type=MediaType.JSON, headers={**_NO_STORE, **nonce})


@post(
    "/token",
    status_code=200,
    summary="Get an access token",
    request_max_body_size=_BODY,
    operation_class=formdocs.form(
        "grant_type",
        optional=(
            "scope",
            "resource",
            "code",
            "redirect_uri",
            "code_verifier",
            "refresh_token",
            "client_id",
            "pre-authorized_code",
            "tx_code",
            *_AUTH,
        ),
    ),
)
async def token(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """`client_credentials` with private_key_jwt, `authorization_code` with PKCE, `refresh_token`; each with DPoP.

    A wallet redeems an offer by its pre-authorized code and the words beside it, with DPoP and no client.
    """
    form = await read_form(request)
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise Refusal("grant_type is missing.")
    if grant_type not in _GRANTS:
        raise UnsupportedGrantType("Use client_credentials, authorization_code or refresh_token.")
    proof = await prove(request, house)
    if grant_type == offers.GRANT:
        whence = request.client.host if request.client else ""
        return answer(await offers.redeem(house, form, jkt=proof.jkt, whence=whence), proof)
    try:
        async with house.doors.work("auth") as session:
            given = await _grant(session, house, form, proof.jkt)
    except CodeReplayed as replay:
        async with house.doors.work("auth") as session:
            await tokens.revoke_code(session, replay.code_hash)
            await refresh.end_of_code(session, replay.code_hash)
        raise
    except RefreshReused as reuse:
        async with house.doors.work("auth") as session:
            await refresh.end_family(session, reuse.family)
        raise
    return answer(given, proof)


async def _grant(session: AsyncSession, house: House, form: dict[str, str], jkt: str) -> server.Granted:
    """Authenticate the client, count the request, and let the grant decide."""
    desk = desk_of(house)
    client = await server.authenticate(session, desk, form)
    if form["grant_type"] == "authorization_code":
        return await authorize.redeem(session, desk, client, form=form, jkt=jkt)
    if await house.short.count(f"token:{client.client_id}", _A_MINUTE) > _TOKENS_A_MINUTE:
        raise TooMany("A token lives five minutes: keep it until then.", retry_after=_A_MINUTE)
    if form["grant_type"] == "refresh_token":
        return await renewal.renew(session, desk, client, form=form, jkt=jkt)
    return await server.client_credentials(session, desk, client, form=form, jkt=jkt)


@post(
    "/par",
    status_code=201,
    summary="Push an authorization request",
    request_max_body_size=_BODY,
    operation_class=formdocs.form(
        "response_type",
        "redirect_uri",
        "code_challenge",
        "code_challenge_method",
        optional=(
            "client_id",
            "scope",
            "state",
            "authorization_details",
            "dpop_jkt",
            "resource",
            "acr_values",
            "max_age",
            *_AUTH,
        ),
    ),
)
async def push(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """RFC 9126: PKCE S256, an exact redirect_uri, and a DPoP proof or dpop_jkt.

    A citizens' app sends its `client_id` and a scope; a partner authenticates and says in `authorization_details` what
    it asks for: one object of type `credit_eligibility`.
    """
    form, desk = await read_form(request), desk_of(house)
    whence = request.client.host if request.client else ""
    if await house.short.count(f"par:{whence}", _A_MINUTE) > _PUSHES_A_MINUTE:
        raise TooMany("Too many requests from this address.", retry_after=_A_MINUTE)
    proof = await prove(request, house) if _proofs(request) or "dpop_jkt" not in form else None
    async with house.doors.work("auth") as session:
        client = await server.authenticate(session, desk, form)
        pushed = par.read(desk, client, form, proved_jkt=None if proof is None else proof.jkt)
        if pushed.asked is not None and await permission.on_offer(session, pushed.asked) is None:
            raise InvalidDetails("The perk is not in force.")
    body = {"request_uri": await par.push(desk, pushed), "expires_in": par.LIFE}
    return answer(body, proof, status=201)


@post(
    "/revoke",
    status_code=200,
    summary="Give a token back",
    request_max_body_size=_BODY,
    operation_class=formdocs.form("token", optional=("token_type_hint", "client_id", *_AUTH)),
)
async def revoke(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """RFC 7009: 200 whether or not there was such a token. A refresh token takes its access tokens with it."""
    form, desk = await read_form(request), desk_of(house)
    if "token" not in form:
        raise Refusal("token is missing.")
    async with house.doors.work("auth") as session:
        client = await server.authenticate(session, desk, form)
        await revocation.revoke(session, desk, client, form["token"])
    return answer(None)


@post(
    "/introspect",
    status_code=200,
    summary="Ask about a token",
    request_max_body_size=_BODY,
    operation_class=formdocs.form("token", *_AUTH, optional=("token_type_hint",)),
)
async def introspect(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """RFC 7662: a client learns about the tokens that it was given; others are `{"active": false}` to it."""
    form, desk = await read_form(request), desk_of(house)
    if "token" not in form:
        raise Refusal("token is missing.")
    async with house.doors.work("auth") as session:
        client = await server.authenticate(session, desk, form)
        return answer(await introspection.about(session, desk, client, form["token"]))


@get("/.well-known/oauth-authorization-server", summary="Authorization server metadata (RFC 8414)")
async def metadata(house: NamedDependency[House]) -> Response[dict[str, Any]]:
    """Where everything is and what it takes."""
    return Response(server.metadata(house.settings.base_url), headers=_CACHED)


@get(
    ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/v1"],
    summary="Protected resource metadata (RFC 9728)",
)
async def resource_metadata(house: NamedDependency[House]) -> Response[dict[str, Any]]:
    """Which server gives tokens for this API, and how they are sent."""
    return Response(server.resource_metadata(house.settings.base_url), headers=_CACHED)


@get("/.well-known/jwks.json", summary="Public keys (RFC 7517)")
async def jwks(house: NamedDependency[House]) -> Response[dict[str, Any]]:
    """The keys that tokens, receipts, published rules and credentials are signed with."""
    return Response(
        {"keys": [*server.jwks(desk_of(house), house.ring)["keys"], *creditcodes.keys(house), *wallet.keys(house)]},
        headers=_CACHED,
    )


handlers = [
    Router(path="/oauth", route_handlers=[token, push, revoke, introspect], exception_handlers={Refusal: refused}),
    metadata,
    resource_metadata,
    jwks,
]

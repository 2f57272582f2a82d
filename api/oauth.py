"""The OAuth endpoints for clients: metadata, keys, token, PAR, revocation, introspection.

Promises: parameters come once, in a form body; every answer is `Cache-Control: no-store`; errors have the shape of
RFC 6749 (section 5.2). What they mean is decided in `auth`.
"""

from typing import Any
from urllib.parse import parse_qsl

from litestar import MediaType, Response, Router, get, post
from litestar.di import NamedDependency

from api.deps import House, HttpRequest
from auth import dpop, server
from auth.refusals import Refusal, UnsupportedGrantType
from core.errors import TooMany

_FORM = "application/x-www-form-urlencoded"
_BODY = 65536
_FIELDS = 40
_A_MINUTE = 60
_TOKENS_A_MINUTE = 600
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_CACHED = {"Cache-Control": "public, max-age=300"}


def _desk(house: House) -> server.Server:
    return server.of(house.settings.base_url, house.ring, house.short)


def refused(_request: HttpRequest, error: Refusal) -> Response[dict[str, str]]:
    """An OAuth error response."""
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
    desk = _desk(house)
    proofs = [value.decode("latin-1") for name, value in request.scope["headers"] if name.lower() == b"dpop"]
    url = f"{house.settings.base_url}{request.scope['path']}"
    return await dpop.check(proofs, method="POST", url=url, nonces=desk.nonces, short=desk.short)


def answer(body: Any, proof: dpop.Proof | None = None, *, status: int = 200) -> Response[Any]:  # noqa: ANN401
    """A JSON answer that nobody stores, with the next nonce where one is due."""
    nonce = {} if proof is None or proof.next_nonce is None else {"DPoP-Nonce": proof.next_nonce}
    return Response(body, status_code=status, media_type=MediaType.JSON, headers={**_NO_STORE, **nonce})


@post("/token", status_code=200, summary="Get an access token", request_max_body_size=_BODY)
async def token(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """`client_credentials` with private_key_jwt, or `authorization_code` with PKCE; always with a DPoP proof."""
    form, desk = await read_form(request), _desk(house)
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise Refusal("grant_type is missing.")
    if grant_type != "client_credentials":
        raise UnsupportedGrantType("Use client_credentials or authorization_code.")
    proof = await prove(request, house)
    async with house.doors.work("auth") as session:
        client = await server.authenticate(session, desk, form)
        if await house.short.count(f"token:{client.client_id}", _A_MINUTE) > _TOKENS_A_MINUTE:
            raise TooMany("A token lives five minutes: keep it until then.", retry_after=_A_MINUTE)
        given = await server.client_credentials(session, desk, client, form=form, jkt=proof.jkt)
    return answer(given, proof)


@post("/revoke", status_code=200, summary="Revoke an access token", request_max_body_size=_BODY)
async def revoke(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """RFC 7009: 200 whether or not there was such a token."""
    form, desk = await read_form(request), _desk(house)
    if "token" not in form:
        raise Refusal("token is missing.")
    async with house.doors.work("auth") as session:
        client = await server.authenticate(session, desk, form)
        await server.revoke(session, desk, client, form["token"])
    return answer(None)


@post("/introspect", status_code=200, summary="Ask about a token of one's own", request_max_body_size=_BODY)
async def introspect(request: HttpRequest, house: NamedDependency[House]) -> Response[Any]:
    """RFC 7662: a client learns about the tokens that it was given, and about no others."""
    form, desk = await read_form(request), _desk(house)
    if "token" not in form:
        raise Refusal("token is missing.")
    async with house.doors.work("auth") as session:
        client = await server.authenticate(session, desk, form)
        return answer(await server.introspect(session, desk, client, form["token"]))


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
    """The keys that tokens, receipts and published rules are signed with."""
    return Response(server.jwks(house.ring), headers=_CACHED)


handlers = [
    Router(path="/oauth", route_handlers=[token, revoke, introspect], exception_handlers={Refusal: refused}),
    metadata,
    resource_metadata,
    jwks,
]

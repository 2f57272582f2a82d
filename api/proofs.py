"""A request's access token and the proof of its sender (RFC 9449, section 7), as a resource server reads them.

Promises: one token, in the Authorization header and nowhere else, whole, ours and unexpired; one proof, for this very
request, by the key that the token is bound to. Every refusal says how in `WWW-Authenticate` (RFC 6750, section 3).
Whether the token is still alive, its row knows: see `api.guards`.
"""

import contextlib
from typing import Any, NoReturn, cast

from litestar.types import Scope

from api.deps import Connection, House
from auth import atjwt, dpop, server
from auth.refusals import NonceWanted, ProofRefused, TokenRefused
from core import jose
from core.errors import Forbidden, Malformed, Unauthenticated
from core.short.forgetting import StoreUnavailable

_UNSPENT = "unspent_proof"
_ALGORITHMS = f'algs="{" ".join(jose.ALGORITHMS)}"'


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


def invalid_token(detail: str = "The access token is revoked or expired; get a new one.") -> InvalidToken:
    """The 401 for a dead token, for a door that finds no live row."""
    return InvalidToken(detail, headers=_challenge("invalid_token", detail))


async def proved(connection: Connection, here: House, *, spend: bool = True) -> atjwt.Access:
    """The token of a request, with its signature and the sender's proof checked; its row is not.

    Without `spend` the proof waits in the request's state for a statement that takes it with its work (`unspent`); what
    no statement took is taken before the answer leaves (`spend_left`), so that no answer leaves a proof good.
    """
    ours = desk(here)
    token = sent_token(connection)
    try:
        access = ours.tokens.read(token)
    except TokenRefused as error:
        raise invalid_token(f"{error}.".capitalize()) from error
    connection.scope["state"]["client"] = access.client_id  # for the request's log line
    if await proved_key(connection, here, token, spend=spend) != access.jkt:
        raise invalid_token("The token is bound to another key than that of the DPoP proof.")
    return access


async def proved_key(connection: Connection, here: House, token: str, *, spend: bool = True) -> str:
    """The thumbprint of the key that proved this request with this token (RFC 9449, section 7); `spend`: see above."""
    ours = desk(here)
    url = here.settings.base_url + connection.scope["path"]
    sent, asked = header(connection, b"dpop"), method(connection)
    try:
        proof = await dpop.read(sent, method=asked, url=url, nonces=ours.nonces, access_token=token)
        if spend and not await ours.short.claim(proof.once, dpop.REMEMBERED):
            raise dpop.used()
    except NonceWanted as error:
        headers = {**_challenge("use_dpop_nonce", error.detail), **error.headers}
        raise NonceNeeded(error.detail, headers=headers) from error
    except ProofRefused as error:
        raise _refused(error) from error
    if not spend:
        connection.scope["state"][_UNSPENT] = proof.once
    if proof.next_nonce is not None:
        connection.scope["state"]["dpop_nonce"] = proof.next_nonce
    return proof.jkt


def unspent(connection: Connection) -> str | None:
    """What the store must remember of this request's proof, if a statement of its handler is to spend it."""
    return connection.scope["state"].get(_UNSPENT)


def spent(connection: Connection) -> None:
    """A statement has spent the proof of this request, and is committed."""
    connection.scope["state"].pop(_UNSPENT, None)


def proof_used(connection: Connection) -> InvalidProof:
    """The 401 for a proof that a statement found spent."""
    spent(connection)
    return _refused(dpop.used())


async def spend_left(state: dict[str, Any], scope: Scope) -> None:
    """Spend the proof that no statement of the request came to."""
    if (once := state.pop(_UNSPENT, None)) is not None:
        with contextlib.suppress(StoreUnavailable):  # then nothing was done either, and nothing can be
            await scope["litestar_app"].state.house.short.claim(once, dpop.REMEMBERED)


def _refused(error: ProofRefused) -> InvalidProof:
    return InvalidProof(error.detail, headers=_challenge("invalid_dpop_proof", error.detail))


def sent_token(connection: Connection) -> str:
    """The one DPoP token of the Authorization header (RFC 9449, section 7.1; FAPI 2.0, 5.3.4: header only)."""
    if connection.scope["query_string"] and "access_token" in connection.query_params:
        raise InvalidRequest("An access token never travels in an address: send it in the Authorization header.")
    values = header(connection, b"authorization")
    if not values:
        nobody("Send Authorization: DPoP with an access token, and a DPoP proof.")
    if len(values) > 1:
        raise InvalidRequest("Send one Authorization header.")
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "dpop":
        raise invalid_token("Tokens are bound to a key: use the DPoP scheme with a proof.")
    return token.strip()


def method(connection: Connection) -> str:
    """The method of a request."""
    return cast("dict[str, Any]", connection.scope)["method"]


def header(connection: Connection, name: bytes) -> list[str]:
    """Every value of a header: a mapping would hide all but one."""
    return [value.decode("latin-1") for key, value in connection.scope["headers"] if key.lower() == name]


def _challenge(error: str, detail: str, scope: str | None = None) -> dict[str, str]:
    more = "" if scope is None else f', scope="{scope}"'
    return {"WWW-Authenticate": f'DPoP error="{error}", error_description="{detail}"{more}, {_ALGORITHMS}'}


def nobody(detail: str) -> NoReturn:
    """401 without an error code, since nothing was sent (RFC 6750, section 3.1)."""
    raise Unauthenticated(detail, headers={"WWW-Authenticate": f"DPoP {_ALGORITHMS}"})


def insufficient_scope(scope: str) -> Forbidden:
    """The 403 for a token without the scope, or of another role."""
    detail = f"This needs a token with the scope {scope}."
    return Forbidden(detail, headers=_challenge("insufficient_scope", detail, scope))


def outside_grant() -> Forbidden:
    """The 403 for a token of a grant that is used for another perk or holder (RFC 9396, section 9)."""
    detail = "This token is for the perk and the subject of its authorization_details."
    return Forbidden(detail, headers=_challenge("insufficient_scope", detail))


def desk(here: House) -> server.Server:
    """The authorization server of this deployment."""
    return server.of(here.settings.base_url, here.ring, here.short, here.settings.token_key_serial)

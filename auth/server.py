"""The authorization server: what it says of itself (RFC 8414), and tokens for clients that act for themselves.

The rest of it is beside: `auth.par` (RFC 9126), `auth.authorize` (codes, RFC 6749 and RFC 7636), `auth.renewal` (the
refresh token's grant), `auth.details` (RFC 9396), `auth.introspection` (RFC 7662), `auth.revocation` (RFC 7009),
`auth.assertion`, `auth.dpop`, `auth.atjwt`. Shaped after the FAPI 2.0 Security Profile; the profile is claimed for
confidential clients, citizens' apps are public clients that are bound by DPoP and PKCE.
"""

import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from auth import assertion, assurance, atjwt, clients, dpop, refresh, tokens
from auth.refusals import InvalidClient, InvalidScope, InvalidTarget, UnauthorizedClient
from core import ids, jose
from core.keys import Keyring
from core.shortlived import Store

PRE_AUTHORIZED = "urn:ietf:params:oauth:grant-type:pre-authorized_code"  # OpenID4VCI 1.0, section 6.1: `api.wallet`


class Server(msgspec.Struct, frozen=True):
    """What one deployment's endpoints share."""

    tokens: atjwt.Issuer
    nonces: dpop.Nonces
    short: Store
    chain: refresh.Chain

    @property
    def issuer(self) -> str:
        """The issuer identifier."""
        return self.tokens.issuer


@lru_cache(maxsize=8)
def of(base_url: str, ring: Keyring, short: Store, serial: int = 0) -> Server:
    """The server of a deployment, made once per process; `serial`: see `core.signingkeys`."""
    return Server(atjwt.issuer(base_url, ring, serial), dpop.Nonces(ring, short), short, refresh.Chain(ring))


class Granted(msgspec.Struct, frozen=True):
    """A successful token response (RFC 6749, section 5.1)."""

    access_token: str
    expires_in: int
    scope: str
    token_type: Literal["DPoP"] = "DPoP"  # noqa: S105  (a type, no secret)
    refresh_token: str | UnsetType = UNSET
    authorization_details: list[dict[str, Any]] | UnsetType = UNSET
    grant_id: str | UnsetType = UNSET


def granted(
    access_token: str,
    scopes: frozenset[str],
    *,
    refresh_token: str | None = None,
    grant: tuple[uuid.UUID, dict[str, Any]] | None = None,
) -> Granted:
    """The response for a token just issued; `grant` is the consent that it stands for, and what that allows."""
    return Granted(
        access_token,
        atjwt.LIFE,
        " ".join(sorted(scopes)),
        refresh_token=UNSET if refresh_token is None else refresh_token,
        authorization_details=UNSET if grant is None else [grant[1]],
        grant_id=UNSET if grant is None else ids.show("co", grant[0]),
    )


def metadata(issuer: str) -> dict[str, Any]:
    """Authorization server metadata (RFC 8414, RFC 9126, RFC 9207, RFC 9449)."""
    methods = ["private_key_jwt"]
    algorithms = list(jose.ALGORITHMS)
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "require_pushed_authorization_requests": True,
        "authorization_challenge_endpoint": f"{issuer}/oauth/challenge",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        "scopes_supported": sorted(scope for held in clients.SCOPES.values() for scope in held),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials", PRE_AUTHORIZED],
        "pre-authorized_grant_anonymous_access_supported": True,
        "authorization_details_types_supported": [clients.DETAILS],
        "token_endpoint_auth_methods_supported": [*methods, "none"],
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": [*methods, "none"],
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "dpop_signing_alg_values_supported": algorithms,
        "protected_resources": [f"{issuer}/v1"],
        "acr_values_supported": [assurance.urn(level) for level in (1, 2, 3)],
        "ui_locales_supported": ["zh-CN"],
    }


def resource_metadata(issuer: str) -> dict[str, Any]:
    """Protected resource metadata of the API (RFC 9728)."""
    return {
        "resource": f"{issuer}/v1",
        "authorization_servers": [issuer],
        "scopes_supported": metadata(issuer)["scopes_supported"],
        "bearer_methods_supported": [],
        "dpop_signing_alg_values_supported": list(jose.ALGORITHMS),
        "dpop_bound_access_tokens_required": True,
    }


def jwks(desk: Server, ring: Keyring) -> dict[str, Any]:
    """The public keys that our signatures are checked with (RFC 7517); access tokens' ones change by themselves."""
    turning = [desk.tokens.key(kid) for kid in desk.tokens.keys().published()]
    keys = [*turning, ring.es256("rules-1"), ring.ed25519("rcpt-1"), ring.ed25519("log-1"), ring.ed25519("ask-1")]
    keys.append(ring.es256("vp-1"))
    return {"keys": [key.as_dict(private=False) for key in keys]}


async def authenticate(session: AsyncSession, server: Server, form: Mapping[str, str]) -> clients.Client:
    """The client of a request: a public one by its id, every other by its assertion. Raises InvalidClient."""
    client_id = form.get("client_id")
    if "client_assertion" in form or "client_assertion_type" in form:
        if form.get("client_assertion_type") != assertion.TYPE:
            detail = f"client_assertion_type must be {assertion.TYPE}."
            raise InvalidClient(detail)
        return await assertion.authenticate(
            session,
            server.short,
            issuer=server.issuer,
            assertion=form.get("client_assertion", ""),
            client_id=client_id,
        )
    found = None if client_id is None else await clients.get(session, client_id)
    if found is None or not found.public:
        raise InvalidClient("Authenticate with private_key_jwt.")
    return found


async def client_credentials(
    session: AsyncSession, server: Server, client: clients.Client, *, form: Mapping[str, str], jkt: str
) -> Granted:
    """A token for a confidential client itself, bound to the DPoP key `jkt` (RFC 6749, section 4.4)."""
    if client.public:
        raise UnauthorizedClient("A public client cannot act for itself.")
    scopes = narrowed(form.get("scope"), client.scopes)
    aim_at(server, form.get("resource"))
    signed = await tokens.issue(session, server.tokens, client_id=client.client_id, scopes=scopes, jkt=jkt)
    return granted(signed, scopes)


def narrowed(asked: str | None, registered: frozenset[str]) -> frozenset[str]:
    """The scopes asked for, all of which must be registered; everything registered when none is named."""
    scopes = registered if asked is None else frozenset(asked.split())
    if not scopes or not scopes <= registered:
        raise InvalidScope("Ask only for scopes that this client is registered for.")
    return scopes


def aim_at(server: Server, resource: str | None) -> None:
    """Refuse any resource but our API (RFC 8707)."""
    if resource not in {None, server.tokens.resource}:
        detail = f"The one resource is {server.tokens.resource}."
        raise InvalidTarget(detail)

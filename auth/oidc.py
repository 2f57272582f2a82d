"""Login at the city's identity provider: OpenID Connect, code flow with PKCE, state and nonce.

Promises: the provider is the configured one, whatever it says elsewhere (discovery's issuer must match exactly); the
answer's `iss` (RFC 9207) where the provider says it sends it; the ID token's signature by a pinned list of algorithms,
its issuer, its one audience, its life, the nonce and the age of the login (`auth_time`). Authlib carries the flow and
checks none of these. Nothing of the provider's tokens is kept. Promises nothing about who may log in.
"""

import hmac
import secrets
import time
from datetime import UTC, datetime
from typing import Any, cast

import httpx2
import msgspec
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from auth.realname import NoIdentity, Proved
from core import clock, outbound
from core.errors import Problem, Unavailable

ALGORITHMS = ["ES256", "PS256", "RS256"]
_KNOWN_FOR = 600
_SKEW = 30
_OLDEST = 8 * 3600
_TIMEOUT = 10


class LoginFailed(Problem):
    """The provider's answer does not hold, or it gave none."""

    code = "login_failed"
    status = 400
    title = "The login did not succeed"


class ProviderDown(Unavailable):
    """The identity provider does not answer."""

    code = "identity_provider_unavailable"
    title = "The identity provider does not answer"


class Provider(msgspec.Struct, frozen=True):
    """A registration at an identity provider. `secret` None makes us a public client there.

    `number_claim` None: the provider proves that this is one real person, and tells neither name nor number.
    """

    issuer: str
    client_id: str
    secret: str | None
    redirect_uri: str
    scope: str = "openid profile"
    name_claim: str = "name"
    number_claim: str | None = "id_number"


class Begun(msgspec.Struct, frozen=True):
    """A login under way: where the browser goes, and what must be remembered until it comes back.

    `since` is the earliest moment (unix seconds) at which the person may have proved who they are.
    """

    address: str
    state: str
    nonce: str
    verifier: str
    since: int


class Returned(msgspec.Struct, frozen=True):
    """What came back from the provider (`code`, `iss`), and what was remembered of the login's beginning."""

    code: str
    iss: str | None
    nonce: str
    verifier: str
    since: int


class RelyingParty:
    """We, as a client of one identity provider; remembers its metadata for ten minutes."""

    def __init__(self, provider: Provider, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        """`transport` replaces the network, for a provider in this very process."""
        self.provider = provider
        self._transport = transport
        self._metadata: tuple[dict[str, Any], float] | None = None

    async def begin(self, *, anew: bool = False) -> Begun:
        """Start a login; `anew` has the person prove themselves once more, whatever session the provider holds.

        Asking for `max_age` makes `auth_time` a required claim (OpenID Connect Core, section 3.1.2.1). Raises
        ProviderDown, LoginFailed.
        """
        metadata = await self._discover()
        nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        oldest = 0 if anew else _OLDEST
        asked = {"max_age": oldest, **({"prompt": "login"} if anew else {})}
        async with self._client() as client:
            address, state = client.create_authorization_url(
                metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **asked
            )
        return Begun(address, state, nonce, verifier, int(clock.wall().timestamp()) - oldest)

    async def verify(self, subject_token: Returned) -> Proved:
        """Redeem the provider's code; what it proves. Raises LoginFailed, NoIdentity, ProviderDown."""
        metadata, iss = await self._discover(), subject_token.iss
        if iss is None and metadata.get("authorization_response_iss_parameter_supported"):
            raise LoginFailed("The answer lacks its issuer; log in again.")
        if iss not in {None, self.provider.issuer}:
            raise LoginFailed("The answer is of another issuer; log in again.")
        given = await self._redeem(metadata, subject_token.code, subject_token.verifier)
        claims = await self._id_token(metadata, given.get("id_token"), subject_token.nonce)
        at = _proved_at(claims, subject_token.since)
        if self.provider.number_claim is None:
            return Proved(self.provider.issuer, claims["sub"], None, None, at)
        if self.provider.number_claim not in claims and "userinfo_endpoint" in metadata:
            claims |= await self._userinfo(metadata, given["access_token"], claims["sub"])
        name, number = claims.get(self.provider.name_claim), claims.get(self.provider.number_claim)
        if not isinstance(name, str) or not isinstance(number, str):
            raise NoIdentity("Verify your real name with the identity provider first, then log in again.")
        return Proved(self.provider.issuer, claims["sub"], name, number, at)

    def _client(self) -> Any:
        return AsyncOAuth2Client(
            self.provider.client_id,
            self.provider.secret,
            token_endpoint_auth_method="client_secret_basic" if self.provider.secret else "none",
            scope=self.provider.scope,
            redirect_uri=self.provider.redirect_uri,
            code_challenge_method="S256",
            transport=self._transport,
            verify=outbound.trusted(chosen=True),
            timeout=_TIMEOUT,
        )

    async def _redeem(self, metadata: dict[str, Any], code: str, verifier: str) -> dict[str, Any]:
        try:
            async with self._client() as client:
                return await client.fetch_token(metadata["token_endpoint"], code=code, code_verifier=verifier)
        except OAuthError as error:
            raise LoginFailed("The identity provider did not accept its own code; log in again.") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderDown from error

    async def _id_token(self, metadata: dict[str, Any], token: object, nonce: str) -> dict[str, Any]:
        """The claims of a valid ID token (OpenID Connect Core, section 3.1.3.7)."""
        if not isinstance(token, str):
            raise LoginFailed("The identity provider gave no ID token.")
        try:
            held = KeySet.import_key_set(cast("Any", await self._get(metadata["jwks_uri"])))
            claims = jwt.decode(token, held, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError) as error:
            raise LoginFailed("The ID token's signature does not hold.") from error
        now = clock.wall().timestamp()
        expires, sent_nonce = claims.get("exp"), claims.get("nonce")
        holds = (
            claims.get("iss") == self.provider.issuer
            and claims.get("aud") in (self.provider.client_id, [self.provider.client_id])
            and claims.get("azp", self.provider.client_id) == self.provider.client_id
            and isinstance(expires, int | float)
            and expires > now - _SKEW
            and isinstance(sent_nonce, str)
            and hmac.compare_digest(sent_nonce.encode(), nonce.encode())
            and isinstance(claims.get("sub"), str)
        )
        if not holds:
            raise LoginFailed("The ID token is not for this login; log in again.")
        return dict(claims)

    async def _userinfo(self, metadata: dict[str, Any], access_token: str, sub: str) -> dict[str, Any]:
        """More claims about the same person (OpenID Connect Core, section 5.3.2)."""
        claims = await self._get(metadata["userinfo_endpoint"], {"Authorization": f"Bearer {access_token}"})
        if claims.get("sub") != sub:
            raise LoginFailed("The identity provider answered about somebody else.")
        return claims

    async def _discover(self) -> dict[str, Any]:
        """The provider's metadata; its issuer is the configured one, letter by letter (ASVS 10.5.3)."""
        if self._metadata is None or time.monotonic() > self._metadata[1]:
            found = await self._get(f"{self.provider.issuer}/.well-known/openid-configuration")
            if found.get("issuer") != self.provider.issuer:
                raise LoginFailed("The identity provider names another issuer than the configured one.")
            self._metadata = (found, time.monotonic() + _KNOWN_FOR)
        return self._metadata[0]

    async def _get(self, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            async with httpx2.AsyncClient(
                transport=self._transport, verify=outbound.trusted(chosen=True), timeout=_TIMEOUT
            ) as http:
                answer = await http.get(url, headers=headers)
                return answer.raise_for_status().json()
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderDown from error


def _proved_at(claims: dict[str, Any], since: int) -> datetime:
    """When the person proved who they are, not before what was asked (OpenID Connect Core, 3.1.3.7, number 13)."""
    at, now = claims.get("auth_time"), clock.wall().timestamp()
    if isinstance(at, bool) or not isinstance(at, int | float) or not since - _SKEW <= at <= now + _SKEW:
        raise LoginFailed("The identity provider did not ask who you are as recently as needed; log in again.")
    return datetime.fromtimestamp(min(at, now), UTC)

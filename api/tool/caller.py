"""A client of our own API: signs what a partner, source or staff system must sign. For `osmanthus call` and the seed.

    async with httpx2.AsyncClient(base_url=kit["base_url"], auth=Signed(...)) as http:
        await http.post("/v1/partner/eligibility", json={...})

Promises: a fresh `private_key_jwt` assertion (RFC 7523) for each token, a DPoP proof (RFC 9449) for each request, a
token kept until it is nearly over, one repeat when the server wants its nonce. Does not promise to repeat a stream:
pass bytes.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Generator, Mapping
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE = 60
_MARGIN = 20
_KINDS = {"EC": (ECKey, "ES256"), "OKP": (OKPKey, "EdDSA"), "RSA": (RSAKey, "PS256")}
_NONCE = "use_dpop_nonce"


class TokenRefusedError(Exception):
    """The token endpoint said no; the message is its status and its words."""


class NoAnswerError(Exception):
    """The server could not be reached, or went away."""


class Signed(httpx2.Auth):
    """What one registered client adds to its requests."""

    requires_response_body = True

    def __init__(self, *, base_url: str, issuer: str, client_id: str, jwk: Mapping[str, Any], scope: str) -> None:
        """`jwk` is the private key as in kit.json; `issuer` the audience of assertions; `scope` space-separated."""
        kind, algorithm = _KINDS[str(jwk["kty"])]
        self._key = kind.import_key(dict(jwk))
        self._header = {"alg": jwk.get("alg", algorithm), "kid": jwk.get("kid") or self._key.thumbprint()}
        self._endpoint = f"{base_url}/oauth/token"
        self._issuer = issuer
        self._client_id = client_id
        self._scope = scope
        self._proof_key = ECKey.generate_key("P-256")
        self._nonce: str | None = None
        self._token = ""
        self._until = 0.0

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Get a token if need be, then send the request with its proof; once more with the server's nonce."""
        if time.monotonic() > self._until:
            given = yield self._token_request()
            if self._wants_nonce(given):
                given = yield self._token_request()
            self._keep(given)
        answer = yield self._bound(request)
        if self._wants_nonce(answer):
            yield self._bound(request)

    def _token_request(self) -> httpx2.Request:
        """Client credentials (RFC 6749, section 4.4) with an assertion that is used once."""
        now = int(time.time())
        who = {"iss": self._client_id, "sub": self._client_id, "aud": self._issuer}
        claims = {**who, "jti": secrets.token_urlsafe(16), "iat": now, "exp": now + _LIFE}
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": _ASSERTION,
            "client_assertion": jwt.encode(self._header, claims, self._key),
        }
        return httpx2.Request("POST", self._endpoint, data=form, headers={"DPoP": self._proof("POST", self._endpoint)})

    def _bound(self, request: httpx2.Request) -> httpx2.Request:
        """The request with its token and a proof that names its method, address and token (RFC 9449, section 7)."""
        address = str(request.url.copy_with(query=None, fragment=None))
        request.headers["Authorization"] = f"DPoP {self._token}"
        request.headers["DPoP"] = self._proof(request.method, address, self._token)
        return request

    def _proof(self, method: str, address: str, token: str | None = None) -> str:
        """One DPoP proof (RFC 9449, section 4.2)."""
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16), "htm": method, "htu": address, "iat": int(time.time()),
        }  # fmt: skip
        if self._nonce is not None:
            claims["nonce"] = self._nonce
        if token is not None:
            claims["ath"] = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._proof_key.as_dict(private=False)}
        return jwt.encode(header, claims, self._proof_key)

    def _wants_nonce(self, answer: httpx2.Response) -> bool:
        """Remember the nonce of any answer; True when this one was refused for want of it (RFC 9449, section 8)."""
        self._nonce = answer.headers.get("DPoP-Nonce", self._nonce)
        if answer.status_code not in {httpx2.codes.BAD_REQUEST, httpx2.codes.UNAUTHORIZED}:
            return False
        return _NONCE in answer.headers.get("WWW-Authenticate", "") or _NONCE in answer.text

    def _keep(self, given: httpx2.Response) -> None:
        """Keep the token until shortly before its end. Raises TokenRefusedError."""
        if not given.is_success:
            message = f"The token endpoint answered {given.status_code}: {given.text}"
            raise TokenRefusedError(message)
        body = given.json()
        self._token = body["access_token"]
        self._until = time.monotonic() + body["expires_in"] - _MARGIN


def signed(kit: Mapping[str, Any], name: str) -> Signed:
    """The client called `name` in a kit (kit.json), with all its scopes. Raises KeyError for an unknown name."""
    one = kit["clients"][name]
    return Signed(
        base_url=kit["base_url"],
        issuer=kit["issuer"],
        client_id=one["client_id"],
        jwk=one["jwk"],
        scope=" ".join(one["scopes"]),
    )


async def once(
    kit: Mapping[str, Any], name: str, method: str, path: str, *, content: bytes | None, headers: Mapping[str, str]
) -> httpx2.Response:
    """One request as the client called `name`; its answer, good or bad. Raises TokenRefusedError, NoAnswerError."""
    async with httpx2.AsyncClient(base_url=kit["base_url"], auth=signed(kit, name), timeout=60) as http:
        try:
            return await http.request(method, path, content=content, headers=dict(headers))
        except httpx2.TransportError as error:
            message = f"no answer from {kit['base_url']} ({type(error).__name__}): is the server running?"
            raise NoAnswerError(message) from error

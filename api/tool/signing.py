"""The other side of the wire: what a client signs, piece by piece (`api.caller` puts them together for partners).

A `Signer` keeps a private key and the last nonce; it makes client assertions and DPoP proofs, and tells from an answer
whether the server wants the same request again with another nonce (RFC 9449, section 8).
"""

import base64
import hashlib
import secrets
import time
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_BAD_REQUEST = 400


def fresh_key() -> dict[str, Any]:
    """A new private P-256 JWK with a kid."""
    key = ECKey.generate_key("P-256", private=True)
    return {**cast("dict[str, Any]", key.as_dict(private=True)), "kid": key.thumbprint(), "alg": "ES256"}


def public_half(jwk: dict[str, Any]) -> dict[str, Any]:
    """The public members of a private JWK."""
    return {name: value for name, value in jwk.items() if name != "d"}


class Signer:
    """One key that signs requests: proofs for every request, assertions for a confidential client."""

    def __init__(self, jwk: dict[str, Any], *, client_id: str, issuer: str) -> None:
        """`jwk` is a private P-256 JWK; `issuer` is the server's identifier, by default also its address."""
        self.client_id = client_id
        self.issuer = issuer
        self.nonce: str | None = None
        self._key = ECKey.import_key(_bare(jwk))
        self._kid = str(jwk.get("kid") or self._key.thumbprint())

    @property
    def jkt(self) -> str:
        """The thumbprint of the key (RFC 7638)."""
        return self._key.thumbprint()

    def assertion(self, **claims: Any) -> str:
        """A fresh client assertion (RFC 7523); `claims` replace the usual ones."""
        now = int(time.time())
        usual = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": self.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        header = {"typ": "JWT", "alg": "ES256", "kid": self._kid}
        return jwt.encode(header, {**usual, **claims}, self._key, algorithms=["ES256"])

    def assertion_form(self) -> dict[str, str]:
        """The form fields that authenticate this client once."""
        return {"client_assertion_type": _ASSERTION, "client_assertion": self.assertion()}

    def proof(self, method: str, url: str, *, access_token: str | None = None, **claims: Any) -> str:
        """A fresh DPoP proof with the last nonce (RFC 9449, section 4.2); a claim given as None is left out."""
        usual: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": urlunsplit(urlsplit(url)._replace(query="", fragment="")),
            "iat": int(time.time()),
            "nonce": self.nonce,
            "ath": None if access_token is None else _hash(access_token),
        }
        kept = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._key.as_dict(private=False)}
        return jwt.encode(header, kept, self._key, algorithms=["ES256"])

    def heed(self, response: httpx2.Response) -> bool:
        """Keep the nonce of an answer; True when the server asks for the same request again with it."""
        asked = "use_dpop_nonce" in response.headers.get("www-authenticate", "") or (
            response.status_code == _BAD_REQUEST and b'"use_dpop_nonce"' in response.content
        )
        self.nonce = response.headers.get("dpop-nonce", self.nonce)
        return asked


def _bare(jwk: dict[str, Any]) -> dict[str, str | list[str]]:
    """The members that make the key, without the ones that say what it may be used for."""
    return {name: jwk[name] for name in ("kty", "crv", "x", "y", "d")}


def _hash(access_token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(access_token.encode()).digest()).rstrip(b"=").decode()

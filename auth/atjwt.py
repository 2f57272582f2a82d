"""Access tokens as text (RFC 9068): `at+jwt`, ES256, five minutes, bound to a DPoP key (RFC 9449, section 6).

Promises: what reads as a token is whole, ours, unexpired and meant for our API; `sub` is pairwise, so the text names
no citizen. Whether it is still alive, its row knows: see `auth.tokens`. The cache here saves a signature check for a
minute at most and never stands for the row.
"""

import base64
import hashlib
import hmac
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from auth import assurance
from auth.clients import Client
from auth.refusals import TokenRefused
from core import clock, jose, signingkeys
from core.keys import Keyring

LIFE = 300
OVERLAP = timedelta(minutes=30)  # twice the longest life of a token: a counter's lives for a quarter of an hour
_TYPE = "at+jwt"
_CACHED = 60
_CACHE_SIZE = 20_000


class Access(msgspec.Struct, frozen=True):
    """What a whole, unexpired token of ours says; whether it is still alive, only its row knows."""

    client_id: str
    jti_hash: bytes
    jkt: str
    scopes: frozenset[str]
    expires_at: float
    sub: str
    acr: int
    auth_time: datetime | None
    grant_id: str | None = None
    details: tuple[dict[str, Any], ...] = ()


class Issuer:
    """Signs and reads this deployment's access tokens."""

    def __init__(self, base_url: str, ring: Keyring, serial: int = 0) -> None:
        """`base_url` is the issuer; the one resource is `<base_url>/v1`; `serial`: see `core.signingkeys`."""
        self.issuer = base_url
        self.resource = f"{base_url}/v1"
        self._ring = ring
        self._serial = serial
        self._keys: dict[str, ECKey] = {}
        self._pairwise = ring.derive("pairwise-sub")
        self._verified: dict[bytes, tuple[Access, float]] = {}
        self._known: dict[bytes, tuple[Client, float]] = {}

    def know(self, access: Access, client: Client) -> None:
        """Remember for a minute at most whose token this is, for a door that proves the row by itself."""
        if len(self._known) >= _CACHE_SIZE:
            self._known.clear()
        self._known[access.jti_hash] = (client, min(access.expires_at, clock.wall().timestamp() + _CACHED))

    def known(self, access: Access) -> Client | None:
        """The client of a token seen alive within the last minute by this process; None otherwise."""
        held = self._known.get(access.jti_hash)
        return held[0] if held is not None and clock.wall().timestamp() < held[1] else None

    def forget(self, jti_hash: bytes) -> None:
        """Drop a revoked token from this process's memory."""
        self._known.pop(jti_hash, None)

    def pairwise(self, client_id: str, citizen_id: uuid.UUID) -> str:
        """What a client sees in the place of a citizen: a keyed digest that no two clients share."""
        return _b64(hmac.digest(self._pairwise, client_id.encode() + b"|" + citizen_id.bytes, "sha256"))

    def sign(self, claims: dict[str, Any]) -> str:
        """The compact token of `claims`."""
        kid = self.keys().current
        return jwt.encode({"typ": _TYPE, "alg": "ES256", "kid": kid}, claims, self.key(kid), algorithms=["ES256"])

    def keys(self) -> signingkeys.Names:
        """The names of the keys of now."""
        return signingkeys.names(clock.wall(), family="as-at", serial=self._serial, overlap=OVERLAP)

    def key(self, kid: str) -> ECKey:
        """The signing key of a name that `keys` gave."""
        if kid not in self._keys:
            self._keys[kid] = self._ring.es256(kid)
        return self._keys[kid]

    def read(self, access_token: str) -> Access:
        """Check signature, type, issuer, audience and expiry (RFC 9068, section 4). Raises TokenRefused."""
        digest, now = hashlib.sha256(access_token.encode()).digest(), clock.wall().timestamp()
        held = self._verified.get(digest)
        if held is not None and now < held[1]:
            return held[0]
        access = self._checked(access_token, now)
        if len(self._verified) >= _CACHE_SIZE:
            self._verified.clear()
        self._verified[digest] = (access, min(access.expires_at, now + _CACHED))
        return access

    def _checked(self, access_token: str, now: float) -> Access:
        try:
            signed = jose.parse(access_token)
            kid = signed.header.get("kid")
            if signed.header.get("typ") != _TYPE or kid not in self.keys().published():
                raise TokenRefused("the token is not an access token of this server")
            jose.verify(signed, self.key(kid))
        except jose.NotSigned as error:
            detail = f"the token is refused: {error}"
            raise TokenRefused(detail) from error
        claims = cast("dict[str, Any]", signed.claims)  # signed by us: the shapes are ours
        if claims["iss"] != self.issuer or claims["aud"] != self.resource:
            raise TokenRefused("the token is meant for another server")
        if claims["exp"] <= now:
            raise TokenRefused("the token has expired")
        return _access(claims)


@lru_cache(maxsize=8)
def issuer(base_url: str, ring: Keyring, serial: int = 0) -> Issuer:
    """The one Issuer of a deployment in this process."""
    return Issuer(base_url, ring, serial)


def _access(claims: dict[str, Any]) -> Access:
    auth_time = claims.get("auth_time")
    return Access(
        client_id=claims["client_id"],
        jti_hash=hashlib.sha256(claims["jti"].encode()).digest(),
        jkt=claims["cnf"]["jkt"],
        scopes=frozenset(claims["scope"].split()),
        expires_at=claims["exp"],
        sub=claims["sub"],
        acr=assurance.level(claims.get("acr")),
        auth_time=None if auth_time is None else datetime.fromtimestamp(auth_time, UTC),
        grant_id=claims.get("grant_id"),
        details=tuple(claims.get("authorization_details", ())),
    )


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

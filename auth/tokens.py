"""Access tokens: `at+jwt` (RFC 9068), ES256, five minutes, bound to a DPoP key (RFC 9449, section 6).

Promises: each token has a row, found by SHA-256 of its `jti`; a token without a live row, of a disabled client or of a
citizen who left is dead. The token itself names no citizen: `sub` is pairwise, only the row knows whose it is. The
cache here saves a signature check for a minute at most and never stands for the row.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, cast

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth import assurance, jose
from auth.clients import Client, from_row
from auth.refusals import TokenRefused
from auth.tables import citizen, client, token
from core import clock
from core.keys import Keyring

LIFE = 300
SIGNING_KID = "as-at-1"
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


class Live(msgspec.Struct, frozen=True):
    """The row of a live token: its client, the citizen whom it acts for, if any, and who sits there in their place."""

    client: Client
    citizen_id: uuid.UUID | None
    acr: int
    actor: str | None = None


class Issuer:
    """Signs and reads this deployment's access tokens."""

    def __init__(self, base_url: str, ring: Keyring) -> None:
        """`base_url` is the issuer; the one resource is `<base_url>/v1`."""
        self.issuer = base_url
        self.resource = f"{base_url}/v1"
        self._key: ECKey = ring.es256(SIGNING_KID)
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
        header = {"typ": _TYPE, "alg": "ES256", "kid": SIGNING_KID}
        return jwt.encode(header, claims, self._key, algorithms=["ES256"])

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
            if signed.header.get("typ") != _TYPE or signed.header.get("kid") != SIGNING_KID:
                raise TokenRefused("the token is not an access token of this server")
            jose.verify(signed, self._key)
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
def issuer(base_url: str, ring: Keyring) -> Issuer:
    """The one Issuer of a deployment in this process."""
    return Issuer(base_url, ring)


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
    )


async def issue(  # noqa: PLR0913  (what a token says)
    session: AsyncSession,
    issuer: Issuer,
    *,
    client_id: str,
    scopes: frozenset[str],
    jkt: str,
    citizen_id: uuid.UUID | None = None,
    code_hash: bytes | None = None,
    acr: int = 0,
    auth_time: datetime | None = None,
    actor: str | None = None,
    life: int = LIFE,
) -> str:
    """Sign a token bound to the key `jkt` and write its row, also whose it is, its code, and the clerk who acts."""
    now, jti = clock.wall(), secrets.token_urlsafe(24)
    scope = " ".join(sorted(scopes))
    claims: dict[str, Any] = {
        "iss": issuer.issuer,
        "aud": issuer.resource,
        "sub": client_id if citizen_id is None else issuer.pairwise(client_id, citizen_id),
        "client_id": client_id,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + life,
        "jti": jti,
        "scope": scope,
        "cnf": {"jkt": jkt},
    }
    if auth_time is not None:
        claims |= {"acr": assurance.urn(acr), "auth_time": int(auth_time.timestamp())}
    row = {"jti_hash": hashlib.sha256(jti.encode()).digest(), "actor": actor} | {
        "client_id": client_id,
        "citizen_id": citizen_id,
        "scope": scope,
        "code_hash": code_hash,
        "expires_at": now + timedelta(seconds=life),
    }
    await session.execute(insert(token).values(**row))
    return issuer.sign(claims)


async def live(session: AsyncSession, jti_hash: bytes) -> Live | None:
    """The live row of a token: not revoked, not expired, its client enabled, its citizen still here; None otherwise."""
    query = (
        select(client, token.c.citizen_id, token.c.actor, citizen.c.acr)
        .select_from(token)
        .join(client, client.c.client_id == token.c.client_id)
        .outerjoin(citizen, citizen.c.id == token.c.citizen_id)
        .where(
            token.c.jti_hash == jti_hash,
            token.c.revoked_at.is_(None),
            token.c.expires_at > clock.wall(),
            client.c.disabled_at.is_(None),
            token.c.citizen_id.is_(None) | citizen.c.id.is_not(None),
        )
    )
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    return Live(from_row(row), row.citizen_id, row.acr or 0, row.actor)


async def revoke(session: AsyncSession, *, client_id: str, jti_hash: bytes) -> None:
    """End a token of this client; another client's token stays as it is (RFC 7009, section 2.1)."""
    await session.execute(
        update(token)
        .where(token.c.jti_hash == jti_hash, token.c.client_id == client_id, token.c.revoked_at.is_(None))
        .values(revoked_at=clock.wall())
    )


async def revoke_code(session: AsyncSession, code_hash: bytes) -> None:
    """End every token that a replayed code gave (RFC 6749, section 4.1.2)."""
    given = (token.c.code_hash == code_hash) & token.c.revoked_at.is_(None)
    await session.execute(update(token).where(given).values(revoked_at=clock.wall()))


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

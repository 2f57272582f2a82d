"""Access tokens as rows: each has one, found by SHA-256 of its `jti`.

Promises: a token without a live row, of a disabled client or of a citizen who left is dead. Only the row knows whose a
token is. A token of a grant is good for that grant's perk and subject alone; its `sub` is that subject, and its row
names no citizen. What the text of a token says: `auth.atjwt`.
"""

import hashlib
import secrets
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth import assurance
from auth.atjwt import LIFE, Issuer
from auth.clients import Client, from_row
from auth.counter import deaths
from auth.tables import citizen, client, token
from core import clock, ids
from core.db import Doors

_STANDING_IN = timedelta(minutes=1)


class Live(msgspec.Struct, frozen=True):
    """The row of a live token: its client, the citizen whom it acts for, if any, and who sits there in their place.

    `grant_id` is the consent that a partner's token stands for.
    """

    client: Client
    citizen_id: uuid.UUID | None
    acr: int
    actor: str | None = None
    grant_id: uuid.UUID | None = None


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
    family: uuid.UUID | None = None,
    grant: tuple[uuid.UUID, dict[str, Any]] | None = None,
) -> str:
    """Sign a token bound to the key `jkt` and write its row. `grant`: its consent, and what that allows."""
    now, jti = clock.wall(), secrets.token_urlsafe(24)
    claims: dict[str, Any] = {
        "iss": issuer.issuer,
        "aud": issuer.resource,
        "client_id": client_id,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + life,
        "jti": jti,
        "scope": " ".join(sorted(scopes)),
        "cnf": {"jkt": jkt},
        **_whose(issuer, client_id, citizen_id, grant),
    }
    if citizen_id and auth_time:
        claims |= {"acr": assurance.urn(acr), "auth_time": int(auth_time.timestamp())}
    row = {"jti_hash": hashlib.sha256(jti.encode()).digest(), "actor": actor, "family": family} | {
        "client_id": client_id, "citizen_id": citizen_id, "scope": claims["scope"], "code_hash": code_hash,
        "expires_at": now + timedelta(seconds=life),
        "grant_id": None if grant is None else grant[0],
    }  # fmt: skip
    await session.execute(insert(token).values(**row))
    return issuer.sign(claims)


@asynccontextmanager
async def standing_in(doors: Doors, *, client_id: str, scope: str) -> AsyncGenerator[bytes]:
    """For the length of a block the hash of a live token of a client, whose id nobody was told.

    What the office does on a partner's behalf is proved to gate functions as what the partner does itself.
    """
    jti_hash = secrets.token_bytes(32)
    row = {"jti_hash": jti_hash, "client_id": client_id, "scope": scope, "expires_at": clock.wall() + _STANDING_IN}
    async with doors.work("auth") as session:
        await session.execute(insert(token).values(**row))
    try:
        yield jti_hash
    finally:
        async with doors.work("auth") as session:
            await revoke(session, client_id=client_id, jti_hash=jti_hash)


def _whose(
    issuer: Issuer, client_id: str, citizen_id: uuid.UUID | None, grant: tuple[uuid.UUID, dict[str, Any]] | None
) -> dict[str, Any]:
    """Who the token is about: a citizen as this client knows them, a grant's subject and no more, or the client."""
    if grant is not None:
        said = grant[1]
        return {"sub": said["subject"], "grant_id": ids.show("co", grant[0]), "authorization_details": [said]}
    return {"sub": client_id if citizen_id is None else issuer.pairwise(client_id, citizen_id)}


_LIVE = (  # built once: building it costs more than asking it, and every request asks
    select(client, token.c.citizen_id, token.c.actor, token.c.grant_id, citizen.c.acr)
    .select_from(token)
    .join(client, client.c.client_id == token.c.client_id)
    .outerjoin(citizen, (citizen.c.id == token.c.citizen_id) & ~deaths.over(citizen.c.id))
    .where(
        token.c.jti_hash == bindparam("hashed"),
        token.c.revoked_at.is_(None),
        token.c.expires_at > bindparam("now"),
        client.c.disabled_at.is_(None),
        token.c.citizen_id.is_(None) | citizen.c.id.is_not(None),
    )
)


async def live(session: AsyncSession, jti_hash: bytes) -> Live | None:
    """The live row of a token: not revoked, not expired, its client enabled, its citizen still here; None otherwise."""
    found = await session.execute(_LIVE, {"hashed": jti_hash, "now": clock.wall()})
    row = found.one_or_none()
    if row is None:
        return None
    return Live(from_row(row), row.citizen_id, row.acr or 0, row.actor, row.grant_id)


async def family_of(session: AsyncSession, jti_hash: bytes) -> uuid.UUID | None:
    """The family that gave an access token; None for another proof, or for a token of no family."""
    return await session.scalar(select(token.c.family).where(token.c.jti_hash == jti_hash))


async def revoke(session: AsyncSession, *, client_id: str, jti_hash: bytes) -> None:
    """End a token of this client; another client's token stays as it is (RFC 7009, section 2.1)."""
    await session.execute(
        update(token)
        .where(token.c.jti_hash == jti_hash, token.c.client_id == client_id, token.c.revoked_at.is_(None))
        .values(revoked_at=clock.wall())
    )


async def end_all(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """End every token that acts for a citizen."""
    theirs = (token.c.citizen_id == citizen_id) & token.c.revoked_at.is_(None)
    await session.execute(update(token).where(theirs).values(revoked_at=clock.wall()))


async def revoke_code(session: AsyncSession, code_hash: bytes) -> None:
    """End every token that a replayed code gave (RFC 6749, section 4.1.2)."""
    given = (token.c.code_hash == code_hash) & token.c.revoked_at.is_(None)
    await session.execute(update(token).where(given).values(revoked_at=clock.wall()))

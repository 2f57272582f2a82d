"""Refresh tokens (RFC 6749, section 6): 384 bits that only their client can use, in families.

A family is what one code gave: the tokens that follow one another, and every access token that they gave. Kept: one
row a family with the SHA-256 of the token that is good and of the one before; the first third of a token finds the row.

Public clients (RFC 9700, section 4.14; ASVS 10.4.5): bound to the DPoP key, and turned at each use. The next token is
computed from the last, so a phone that lost the answer sends the old one again and gets the same next one, within the
hour and as long as that next one was never used. Every other comeback of an old token ends the family with its access
tokens. Without the key an old token does nothing at all: whoever finds one cannot even log the citizen out.
Confidential clients (FAPI 2.0, 5.3.2.1): bound to the client, not turned. Ninety days; a partner's as its consent.
"""

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from auth.granttables import refresh
from auth.refusals import InvalidGrant, RefreshReused
from auth.tables import citizen, client, token
from core import clock, ids
from core.keys import Keyring

LONGEST = timedelta(days=90)
RETRY = timedelta(hours=1)
_SHAPE = re.compile(r"[A-Za-z0-9_-]{64}")  # 48 bytes; an access token has dots
_HANDLE = 16


class Standing(msgspec.Struct, frozen=True):
    """What a family stands for: whose it is, and what its tokens may say. `jkt` is None when only the client binds."""

    client_id: str
    citizen_id: uuid.UUID | None
    grant_id: uuid.UUID | None
    jkt: str | None
    scopes: frozenset[str]
    details: dict[str, Any] | None
    acr: int
    auth_time: datetime

    @property
    def grant(self) -> tuple[uuid.UUID, dict[str, Any]] | None:
        """The consent of a partner's family, and what it allows."""
        return None if self.grant_id is None or self.details is None else (self.grant_id, self.details)


class Family(msgspec.Struct, frozen=True):
    """A live family."""

    id: uuid.UUID
    standing: Standing
    began_at: datetime
    turned_at: datetime
    expires_at: datetime


class Held(msgspec.Struct, frozen=True):
    """An app that acts for a citizen: its family, its name, since when, when last, until when."""

    family: uuid.UUID
    client_id: str
    client_name: str
    began_at: datetime
    used_at: datetime
    expires_at: datetime


class Chain:
    """Computes which token follows which; nobody without the deployment's key can."""

    def __init__(self, ring: Keyring) -> None:
        """`ring` is the deployment's."""
        self._key = ring.derive("refresh-chain")

    def after(self, value: str) -> str:
        """The token that follows `value` in its family; always the same one."""
        raw = base64.urlsafe_b64decode(value)
        return _text(raw[:_HANDLE] + hmac.digest(self._key, raw, "sha256"))


def looks_like_one(value: str) -> bool:
    """Whether this is a refresh token by its shape, so that it is looked for among them."""
    return _SHAPE.fullmatch(value) is not None


async def begin(
    session: AsyncSession, standing: Standing, *, code_hash: bytes, until: datetime | None = None
) -> tuple[uuid.UUID, str]:
    """Open the family of a code; its id and its first token. `until` ends a partner's, by the consent."""
    value, now = _text(secrets.token_bytes(48)), clock.wall()
    family = ids.new()
    row = msgspec.structs.asdict(standing) | {
        "scope": " ".join(sorted(standing.scopes)),
        "family": family,
        "handle": _handle(value),
        "current": _hash(value),
        "turned_at": now,
        "code_hash": code_hash,
        "began_at": now,
        "expires_at": now + LONGEST if until is None else until,
    }
    del row["scopes"]
    await session.execute(insert(refresh).values(**row))
    return family, value


async def find(session: AsyncSession, value: str, *, client_id: str | None) -> Family | None:
    """The live family of a token that is good now, and this client's if one is named; changes nothing."""
    enabled = select(client.c.client_id).where(client.c.disabled_at.is_(None))
    query = select(refresh).where(_live(), refresh.c.handle == _handle(value), refresh.c.client_id.in_(enabled))
    row = (await session.execute(query)).one_or_none()
    if row is None or row.current != _hash(value) or client_id not in {None, row.client_id}:
        return None
    return _family(row) if await _stands(session, row) else None


async def of_client(session: AsyncSession, value: str, *, client_id: str) -> uuid.UUID | None:
    """The family that a token belongs to, good or old, when it is this client's."""
    query = select(refresh.c.family).where(refresh.c.handle == _handle(value), refresh.c.client_id == client_id)
    return await session.scalar(query)


async def use(
    session: AsyncSession, chain: Chain, value: str, *, client_id: str, public: bool, jkt: str
) -> tuple[Family, str | None]:
    """Use a token; its family, and for a public client the token that follows.

    `jkt` is the key of this request's proof. Raises InvalidGrant; RefreshReused, after which the caller ends the
    family in a transaction that stays. Racers wait for each other here.
    """
    row = None
    if looks_like_one(value):
        query = select(refresh).where(_live(), refresh.c.handle == _handle(value)).with_for_update()
        row = (await session.execute(query)).one_or_none()
    if row is None or row.client_id != client_id:
        raise InvalidGrant("The refresh token is unknown, expired or ended.")
    if row.jkt is not None and row.jkt != jkt:
        raise InvalidGrant("The DPoP key is not the one that the refresh token is bound to.")
    following = await _turned(session, chain, row, value) if public else _unturned(row, value)
    if not await _stands(session, row):
        raise InvalidGrant("The grant has ended.")
    return _family(row), following


async def _turned(session: AsyncSession, chain: Chain, row: Row[Any], value: str) -> str:
    """The token that follows; an old one is answered again only to whom the answer may have been lost."""
    now, presented = clock.wall(), _hash(value)
    if presented == row.previous and now < row.turned_at + RETRY:
        return chain.after(value)
    if presented != row.current:
        raise RefreshReused(row.family)
    following = chain.after(value)
    await session.execute(
        update(refresh)
        .where(refresh.c.family == row.family)
        .values(previous=presented, current=_hash(following), turned_at=now)
    )
    return following


def _unturned(row: Row[Any], value: str) -> None:
    if _hash(value) != row.current:
        raise InvalidGrant("The refresh token is unknown, expired or ended.")


async def _stands(session: AsyncSession, row: Row[Any]) -> bool:
    """Whether the citizen is still here; for a partner, whether the grant stands as far as it has been told."""
    if row.grant_id is not None:
        return bool(await session.scalar(select(func.auth.grant_stands(row.grant_id))))
    return await session.scalar(select(citizen.c.id).where(citizen.c.id == row.citizen_id)) is not None


async def families(session: AsyncSession, citizen_id: uuid.UUID) -> list[Held]:
    """The apps that may act for a citizen, newest first."""
    query = (
        select(refresh, client.c.name)
        .join(client, client.c.client_id == refresh.c.client_id)
        .where(_live(), refresh.c.citizen_id == citizen_id)
        .order_by(refresh.c.family.desc())
    )
    return [
        Held(row.family, row.client_id, row.name, row.began_at, row.turned_at, row.expires_at)
        for row in await session.execute(query)
    ]


async def end_family(session: AsyncSession, family: uuid.UUID, *, citizen_id: uuid.UUID | None = None) -> bool:
    """End a family and its access tokens now; with `citizen_id` only that citizen's. Whether there was one to end."""
    whose = [refresh.c.family == family] + ([] if citizen_id is None else [refresh.c.citizen_id == citizen_id])
    return await _end(session, *whose) > 0


async def end_all(session: AsyncSession, citizen_id: uuid.UUID) -> int:
    """End every app that acts for a citizen, with the access tokens; how many apps."""
    return await _end(session, refresh.c.citizen_id == citizen_id)


async def end_of_code(session: AsyncSession, code_hash: bytes) -> None:
    """End what a replayed code gave (RFC 6749, section 4.1.2)."""
    await _end(session, refresh.c.code_hash == code_hash)


async def _end(session: AsyncSession, *which: ColumnElement[bool]) -> int:
    now = clock.wall()
    ended = update(refresh).where(refresh.c.ended_at.is_(None), *which).values(ended_at=now)
    gone = list(await session.scalars(ended.returning(refresh.c.family)))
    if gone:
        await session.execute(
            update(token).where(token.c.family.in_(gone), token.c.revoked_at.is_(None)).values(revoked_at=now)
        )
    return len(gone)


def _live() -> ColumnElement[bool]:
    return refresh.c.ended_at.is_(None) & (refresh.c.expires_at > clock.wall())


def _family(row: Row[Any]) -> Family:
    standing = Standing(
        client_id=row.client_id,
        citizen_id=row.citizen_id,
        grant_id=row.grant_id,
        jkt=row.jkt,
        scopes=frozenset(row.scope.split()),
        details=row.details,
        acr=row.acr,
        auth_time=row.auth_time,
    )
    return Family(row.family, standing, row.began_at, row.turned_at, row.expires_at)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()


def _handle(value: str) -> bytes:
    return hashlib.sha256(base64.urlsafe_b64decode(value)[:_HANDLE]).digest()

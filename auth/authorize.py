"""Authorization codes (RFC 6749, section 4.1): given at a citizen's decision, redeemed once by the client that asked.

Promises: a code lives 60 seconds, is bound to client, redirect address, PKCE challenge and DPoP key, and is used up by
a unique insert in the transaction that gives the tokens, so a crash before commit spends nothing. A code that comes
again takes back what it gave: the access tokens, and the refresh token with all that followed. A citizens' app gets
tokens that act for the citizen; a partner gets tokens that stand for one consent and name nobody.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Row, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from auth import clients, refresh, server, tokens
from auth.granttables import code, code_use
from auth.par import Pushed
from auth.refusals import CodeReplayed, InvalidGrant, Refusal, UnauthorizedClient
from auth.tables import citizen
from core import clock

LIFE = timedelta(seconds=60)
_VERIFIER = range(43, 129)


class Consented(msgspec.Struct, frozen=True):
    """What a citizen allowed a partner: the consent, and its details as granted."""

    grant_id: uuid.UUID
    details: dict[str, Any]


async def give_code(
    session: AsyncSession,
    pushed: Pushed,
    *,
    citizen_id: uuid.UUID,
    acr: int,
    auth_time: datetime,
    consented: Consented | None = None,
) -> str:
    """A code for the request that the citizen has just allowed; `consented` when a partner asked.

    `acr` and `auth_time` are of the citizen's login.
    """
    value = secrets.token_urlsafe(32)
    row = {
        "hash": _hash(value),
        "client_id": pushed.client_id,
        "citizen_id": citizen_id,
        "redirect_uri": pushed.redirect_uri,
        "challenge": pushed.challenge,
        "jkt": pushed.jkt,
        "scope": " ".join(sorted(pushed.scopes)),
        "acr": acr,
        "auth_time": auth_time,
        "expires_at": clock.wall() + LIFE,
        "grant_id": None if consented is None else consented.grant_id,
        "details": None if consented is None else consented.details,
    }
    await session.execute(insert(code).values(**row))
    return value


def address(pushed: Pushed, issuer: str, **answer: str) -> str:
    """Where the browser goes with the answer: `state` as it came, and `iss` always (RFC 9207)."""
    state = {} if pushed.state is None else {"state": pushed.state}
    joint = "&" if "?" in pushed.redirect_uri else "?"
    return f"{pushed.redirect_uri}{joint}{urlencode({**answer, **state, 'iss': issuer})}"


async def redeem(
    session: AsyncSession, desk: server.Server, client: clients.Client, *, form: Mapping[str, str], jkt: str
) -> server.Granted:
    """Tokens for a code, bound to the key `jkt`. Raises InvalidGrant; CodeReplayed, after which the caller revokes."""
    if not client.public and client.role != "partner":
        raise UnauthorizedClient("Codes are for citizens' apps and for partners.")
    server.aim_at(desk, form.get("resource"))
    if "code" not in form or "code_verifier" not in form:
        raise Refusal("Send code, redirect_uri and code_verifier.")
    row = await _bound_row(session, client, form, jkt)
    await _use_up(session, row)
    standing = await _standing(session, client, row)
    family, value = await refresh.begin(
        session, standing, code_hash=row.hash, until=_until(standing) if standing.details is not None else None
    )
    signed = await tokens.issue(
        session,
        desk.tokens,
        client_id=client.client_id,
        scopes=standing.scopes,
        jkt=jkt,
        citizen_id=standing.citizen_id,
        code_hash=row.hash,
        acr=standing.acr,
        auth_time=standing.auth_time,
        family=family,
        grant=standing.grant,
    )
    return server.granted(signed, standing.scopes, refresh_token=value, grant=standing.grant)


async def _standing(session: AsyncSession, client: clients.Client, row: Row[Any]) -> refresh.Standing:
    """What the tokens of a code stand for: a citizen, or one consent."""
    if await session.scalar(select(citizen.c.id).where(citizen.c.id == row.citizen_id)) is None:
        raise InvalidGrant("The citizen has left.")
    return refresh.Standing(
        client_id=client.client_id,
        citizen_id=row.citizen_id if row.grant_id is None else None,
        grant_id=row.grant_id,
        jkt=row.jkt if client.public else None,
        scopes=frozenset(row.scope.split()),
        details=row.details,
        acr=row.acr,
        auth_time=row.auth_time,
    )


def _until(standing: refresh.Standing) -> datetime:
    """The end of the consent that a partner's tokens stand for."""
    return msgspec.convert((standing.details or {})["expires_at"], datetime)


async def _use_up(session: AsyncSession, row: Row[Any]) -> None:
    """Spend the code, exactly once among racers; a late one is not spent, but still known as used before."""
    now = clock.wall()
    if row.expires_at <= now:
        if await session.scalar(select(code_use.c.hash).where(code_use.c.hash == row.hash)) is None:
            raise InvalidGrant("The code has expired.")
        raise CodeReplayed(row.hash)
    spent = upsert(code_use).values(hash=row.hash, at=now).on_conflict_do_nothing().returning(code_use.c.hash)
    if await session.scalar(spent) is None:
        raise CodeReplayed(row.hash)


async def _bound_row(session: AsyncSession, client: clients.Client, form: Mapping[str, str], jkt: str) -> Row[Any]:
    """The code's row, when client, redirect address, verifier and key are those that it was bound to."""
    row = (await session.execute(select(code).where(code.c.hash == _hash(form["code"])))).one_or_none()
    if row is None or row.client_id != client.client_id:
        raise InvalidGrant("The code is unknown.")
    if form.get("redirect_uri", "") != row.redirect_uri:
        raise InvalidGrant("redirect_uri is not the one of the request.")
    if not _verifies(form["code_verifier"], row.challenge):
        raise InvalidGrant("code_verifier does not fit the challenge.")
    if jkt != row.jkt:
        raise InvalidGrant("The DPoP key is not the one of the request.")
    return row


def _verifies(verifier: str, challenge: str) -> bool:
    """Whether the verifier is behind the challenge (RFC 7636, section 4.6)."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    return len(verifier) in _VERIFIER and hmac.compare_digest(digest, challenge)


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()

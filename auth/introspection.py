"""What a token says, to who may ask (RFC 7662): its own client, and resource servers that are flagged `introspects`.

Everybody else, and everybody about a dead or unknown token, gets exactly `{"active": false}`. A partner's grant that
the citizen has ended is told as ended when the civil day is over, as by the daily statement, and not before: the end of
a consent is no message about a moment.
"""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth import clients, refresh, server, tokens
from auth.refusals import TokenRefused
from core import ids

_INACTIVE: dict[str, Any] = {"active": False}


async def about(session: AsyncSession, desk: server.Server, client: clients.Client, token: str) -> dict[str, Any]:
    """The answer to `client` about `token`."""
    said = await (_refresh if refresh.looks_like_one(token) else _access)(session, desk, client, token)
    return _INACTIVE if said is None else {"active": True, "iss": desk.issuer, "aud": desk.tokens.resource, **said}


async def _access(
    session: AsyncSession, desk: server.Server, client: clients.Client, token: str
) -> dict[str, Any] | None:
    try:
        access = desk.tokens.read(token)
    except TokenRefused:
        return None
    live = await tokens.live(session, access.jti_hash)
    if live is None or not (client.introspects or access.client_id == client.client_id):
        return None
    if live.grant_id is not None and not await session.scalar(select(func.auth.grant_stands(live.grant_id))):
        return None
    said: dict[str, Any] = {
        "sub": access.sub,
        "client_id": access.client_id,
        "scope": " ".join(sorted(access.scopes)),
        "exp": int(access.expires_at),
        "token_type": "DPoP",
        "cnf": {"jkt": access.jkt},
    }
    return said | _grant(access.grant_id, list(access.details))


async def _refresh(
    session: AsyncSession, _desk: server.Server, client: clients.Client, token: str
) -> dict[str, Any] | None:
    found = await refresh.find(session, token, client_id=None if client.introspects else client.client_id)
    if found is None:
        return None
    standing = found.standing
    said: dict[str, Any] = {
        "client_id": standing.client_id,
        "scope": " ".join(sorted(standing.scopes)),
        "exp": int(found.expires_at.timestamp()),
        "token_type": "refresh_token",
    }
    bound = {} if standing.jkt is None else {"cnf": {"jkt": standing.jkt}}
    grant = None if standing.grant_id is None else ids.show("co", standing.grant_id)
    return said | bound | _grant(grant, [] if standing.details is None else [standing.details])


def _grant(grant_id: str | None, details: list[dict[str, Any]]) -> dict[str, Any]:
    return {} if grant_id is None else {"grant_id": grant_id, "authorization_details": details}

"""A client gives a token back (RFC 7009): an access token ends alone, a refresh token with everything of its grant.

Unknown tokens and other clients' tokens change nothing and answer alike. Giving a token back is no word about the
citizen's consent, which is the citizen's to end.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from auth import clients, refresh, server, tokens
from auth.refusals import TokenRefused


async def revoke(session: AsyncSession, desk: server.Server, client: clients.Client, token: str) -> None:
    """End a token of this client."""
    if refresh.looks_like_one(token):
        family = await refresh.of_client(session, token, client_id=client.client_id)
        if family is not None:
            await refresh.end_family(session, family)
        return
    try:
        access = desk.tokens.read(token)
    except TokenRefused:
        return
    if access.client_id == client.client_id:
        await tokens.revoke(session, client_id=client.client_id, jti_hash=access.jti_hash)
        desk.tokens.forget(access.jti_hash)

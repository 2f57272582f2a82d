"""The refresh token's grant (RFC 6749, section 6): another access token of the same standing, or of less.

Promises: never a wider scope, never another citizen, never a later `auth_time` than the citizen's own. What a family
stands for and which of its tokens are good: `auth.refresh`.
"""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from auth import clients, refresh, server, tokens
from auth.refusals import InvalidScope, Refusal


async def renew(
    session: AsyncSession, desk: server.Server, client: clients.Client, *, form: Mapping[str, str], jkt: str
) -> server.Granted:
    """A token for a refresh token, bound to the key `jkt`. Raises InvalidGrant, InvalidScope; RefreshReused."""
    server.aim_at(desk, form.get("resource"))
    if "refresh_token" not in form:
        raise Refusal("Send refresh_token.")
    family, following = await refresh.use(
        session, desk.chain, form["refresh_token"], client_id=client.client_id, public=client.public, jkt=jkt
    )
    standing = family.standing
    scopes = standing.scopes if "scope" not in form else frozenset(form["scope"].split())
    if not scopes or not scopes <= standing.scopes:
        raise InvalidScope("Ask for what was granted, or for less.")
    signed = await tokens.issue(
        session,
        desk.tokens,
        client_id=client.client_id,
        scopes=scopes,
        jkt=jkt,
        citizen_id=standing.citizen_id,
        acr=standing.acr,
        auth_time=standing.auth_time,
        family=family.id,
        grant=standing.grant,
    )
    return server.granted(signed, scopes, refresh_token=following, grant=standing.grant)

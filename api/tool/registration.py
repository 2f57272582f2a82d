"""Registering a client by hand: what `osmanthus client add` does as the owner of the database.

Promises: the private key of a key that we make is returned once and kept nowhere. A source's digest key is sealed.
"""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc.jwk import ECKey
from sqlalchemy.ext.asyncio import AsyncSession

from auth import clients
from core.keys import Keyring
from core.postgres.engine import engine_of
from core.settings import Settings


async def add(  # noqa: PLR0913  (what a registration holds)
    settings: Settings,
    *,
    client_id: str,
    role: str,
    name: str,
    scopes: Sequence[str],
    kinds: Sequence[str] = (),
    perks: Sequence[str] = (),
    redirect_uris: Sequence[str] = (),
    purposes: Sequence[str] | None = None,
    introspects: bool = False,
    contact: str = "",
    jwk: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Register a client; its entry for a kit. Raises core.errors.Invalid with the faults, ClientExists."""
    key = None if role == "citizen" else dict(jwk) if jwk else _new_key()
    digest_key = secrets.token_bytes(32) if role == "source" else None
    engine = engine_of(settings.database_url)
    try:
        async with AsyncSession(engine) as session, session.begin():
            await clients.add(
                session, Keyring(settings.master_key, settings.epochs_file), client_id=client_id, role=role, name=name,
                scopes=scopes, kinds=kinds, perks=perks, redirect_uris=redirect_uris,
                jwks=[key] if key else [], digest_key=digest_key,
                purposes=purposes, introspects=introspects, contact=contact,
            )  # fmt: skip
    finally:
        await engine.dispose()
    entry: dict[str, Any] = {"client_id": client_id, "role": role, "jwk": key, "scopes": list(scopes)}
    entry |= {"kinds": list(kinds)} if kinds else {}
    entry |= {"perks": list(perks)} if perks else {}
    entry |= {"redirect_uris": list(redirect_uris)} if redirect_uris and key else {}
    return entry | ({"digest_key": digest_key.hex()} if digest_key else {})


def _new_key() -> dict[str, Any]:
    """A P-256 key for ES256, with its thumbprint as `kid` (RFC 7638)."""
    key = ECKey.generate_key("P-256")
    return {**key.as_dict(private=True), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"}

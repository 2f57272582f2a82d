"""Registering a client by hand: what `osmanthus client add` does as the owner of the database.

Promises: the private key of a key that we make is returned once and kept nowhere. A digest key, of a source or a car
park, is sealed.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc.jwk import ECKey
from sqlalchemy.ext.asyncio import AsyncSession

from auth import clients, digestkeys, registrations
from core import assessments, clock, ids
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
    assessment: str | None = None,
) -> dict[str, Any]:
    """Register a client; its entry for a kit. Raises core.errors.Invalid with the faults, ClientExists, NotFound.

    Outside a sandbox a partner, source or city-card operator without a live impact assessment (`pia_…`) is registered
    disabled, which its entry says (`live` false): two of the office enable it once it was assessed.
    """
    key = None if role == "citizen" else dict(jwk or _new_key())
    digest_key = secrets.token_bytes(32) if digestkeys.agrees(role, perks) else None
    engine = engine_of(settings.database_url)
    try:
        async with AsyncSession(engine) as session, session.begin():
            behind = await _assessed(session, assessment, client_id)
            live = settings.sandbox or behind is not None or role not in registrations.ROLES
            await clients.add(
                session, Keyring(settings.master_key, settings.epochs_file), client_id=client_id, role=role, name=name,
                scopes=scopes, kinds=kinds, perks=perks, redirect_uris=redirect_uris,
                jwks=[key] if key else [], digest_key=digest_key,
                purposes=purposes, introspects=introspects, contact=contact,
            )  # fmt: skip
            await registrations.stand(session, client_id=client_id, assessment_id=behind, live=live)
    finally:
        await engine.dispose()
    held = {"kinds": kinds, "perks": perks, "redirect_uris": redirect_uris if key else ()}
    entry = {"client_id": client_id, "role": role, "jwk": key, "scopes": list(scopes), **_told_once(digest_key)}
    return _whole(entry, held, live=live)


def _whole(entry: dict[str, Any], held: Mapping[str, Sequence[str]], *, live: bool) -> dict[str, Any]:
    """An entry with the lists that are not empty, and whether it is shut out."""
    entry |= {name: list(some) for name, some in held.items() if some}
    return entry if live else entry | {"live": False}


def _told_once(digest_key: bytes | None) -> dict[str, str]:
    return {"digest_key": digest_key.hex()} if digest_key else {}


async def _assessed(session: AsyncSession, shown: str | None, client_id: str) -> uuid.UUID | None:
    """The id of the assessment that was named, if it is live and this client's. Raises NotFound, AssessmentMissing."""
    if shown is None:
        return None
    found = await assessments.get(session, assessment_id=ids.read("pia", shown))
    if not found.live(clock.today()) or (found.subject_kind, found.subject) != ("partner", client_id):
        detail = f"{shown} is no live assessment of the partner {client_id}."
        raise assessments.AssessmentMissing(detail)
    return found.id


def _new_key() -> dict[str, Any]:
    """A P-256 key for ES256, with its thumbprint as `kid` (RFC 7638)."""
    key = ECKey.generate_key("P-256")
    return {**key.as_dict(private=True), "kid": key.thumbprint(), "alg": "ES256", "use": "sig"}

"""Keys of digests that the city and another organisation agreed on, each its own, sealed under a key of the deployment.

With a source, of ID numbers; with a car park, of number plates. What one of them knows somebody by says nothing to
another. Promises that a key is told once, by whoever registers its client, and is shown to nobody afterwards.
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.tables import client
from core import sealed
from core.keys import Keyring

PARKING = "parking."


def agrees(role: str, perks: Iterable[str]) -> bool:
    """Whether a client has a key: sources, and partners with a parking perk."""
    return role == "source" or (role == "partner" and any(perk.startswith(PARKING) for perk in perks))


async def of(session: AsyncSession, ring: Keyring, named: Iterable[str], *, role: str = "source") -> dict[str, bytes]:
    """Per client named, the key agreed with it; those of another role, without one, or disabled are absent."""
    rows = await session.execute(
        select(client.c.client_id, client.c.sealed_digest_key).where(
            client.c.client_id.in_(list(named)),
            client.c.role == role,
            client.c.disabled_at.is_(None),
            client.c.sealed_digest_key.is_not(None),
        )
    )
    key = ring.derive("source-digest")
    return {row.client_id: sealed.unseal(key, row.sealed_digest_key, place=_place(row.client_id)) for row in rows}


def seal(ring: Keyring, client_id: str, digest_key: bytes | None) -> bytes | None:
    """A client's key as it is stored; None for none."""
    if digest_key is None:
        return None
    return sealed.seal(ring.derive("source-digest"), digest_key, place=_place(client_id))


def _place(client_id: str) -> tuple[str, str, bytes]:
    return "auth.client", "sealed_digest_key", client_id.encode()

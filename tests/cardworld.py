"""Operators of city cards, and people with cards, laid behind the doors."""

import secrets
import uuid
from typing import Any

from auth.counter.tables import card
from core import clock, ids
from tests.gateworld import LIBRARY, World

OPERATOR = "metrocard"


async def operator(city: World, name: str = OPERATOR, perks: tuple[str, ...] = (LIBRARY,)) -> bytes:
    """An operator with a live token; returns the hash of its jti."""
    await city.partner(name, perks=perks, role="citycard")
    return await city.token(name, scope="citycard")


async def bound(city: World, *, points: int = 1300, share: bool = True, held: bool = False) -> tuple[uuid.UUID, bytes]:
    """Somebody who takes part, with a card; returns them and the card's digest."""
    citizen = await city.citizen(points, held=held)
    await city.do("insert into auth.citizen (id, acr, created_at) values (:c, 3, now())", c=citizen)
    digest = await card_of(city, citizen)
    if share:
        await city.consent(citizen, f"share:{OPERATOR}/{LIBRARY}")
    return citizen, digest


async def card_of(city: World, citizen: uuid.UUID, **more: Any) -> bytes:
    """One more card of somebody's."""
    digest = secrets.token_bytes(32)
    await city.lay(card, id=ids.new(), digest=digest, citizen_id=citizen, sealed_number=b"", salt=b"", pin=b"",
                   bound_at=clock.wall(), tries=0, **more)  # fmt: skip
    return digest

"""Codes that a citizen draws and says to a person: to a clerk at a counter, or to a relative who may look.

A code is eight letters and digits (40 random bits), good once and for minutes; only its keyed digest is stored. A new
one ends the older. Whoever asks for guesses counts them; see `api.staff.limits`.
"""

import secrets
import uuid
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import delete, insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.counter.tables import spoken_code
from core import clock, sealed
from core.keys import Keyring

Use = Literal["counter", "proxy"]
LIFE = timedelta(minutes=10)
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("OIL", "011")


class Spoken(msgspec.Struct, frozen=True):
    """A drawn code, e.g. `7K3M-Q0TX`, and until when (wall clock)."""

    text: str
    expires_at: datetime


class Taken(msgspec.Struct, frozen=True):
    """Who drew the code that was just used up, and until when they let somebody look."""

    citizen_id: uuid.UUID
    until_on: date | None


async def draw(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, use: Use, until_on: date | None = None
) -> Spoken:
    """Draw a code for one use; the older one for it dies."""
    letters = "".join(secrets.choice(_LETTERS) for _ in range(8))
    drawn = Spoken(f"{letters[:4]}-{letters[4:]}", clock.wall() + LIFE)
    mine = (spoken_code.c.citizen_id == citizen_id) & (spoken_code.c.use == use)
    await session.execute(delete(spoken_code).where(mine))
    await session.execute(
        insert(spoken_code).values(
            digest=_digest(ring, drawn.text, use),
            citizen_id=citizen_id,
            use=use,
            until_on=until_on,
            expires_at=drawn.expires_at,
        )
    )
    return drawn


async def take(session: AsyncSession, ring: Keyring, *, text: str, use: Use) -> Taken | None:
    """Use a code up, in the caller's transaction; None when there is no such live one. One of racing callers wins."""
    live = (spoken_code.c.digest == _digest(ring, text, use)) & (spoken_code.c.expires_at > clock.wall())
    used = delete(spoken_code).where(live).returning(spoken_code.c.citizen_id, spoken_code.c.until_on)
    row = (await session.execute(used)).one_or_none()
    return None if row is None else Taken(row.citizen_id, row.until_on)


async def end_all(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """End every code that a citizen drew."""
    await session.execute(delete(spoken_code).where(spoken_code.c.citizen_id == citizen_id))


def _digest(ring: Keyring, text: str, use: Use) -> bytes:
    """However it was written down: O is 0, I and L are 1, blanks and strokes do not matter (Crockford)."""
    plain = text.upper().translate(_ALIKE).replace("-", "").replace(" ", "")
    return sealed.digest(ring.derive("spoken-code"), f"{use}|{plain}")

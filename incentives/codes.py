"""Credit codes: drawn by a citizen for a perk that is granted, shown at a counter, good for a minute and for one use.

A code is CC1 (`incentives.creditcode`); only its SHA-256 is stored, so the table tells nobody a code. At a gate with a
line it is that row that counts, so whatever was altered, is of another city or was never drawn is nobody's code.
Drawing is the citizen's consent for this one use. A new code for the same perk ends the older one, so that nobody
hoards them; a gate without a line cannot know that, and takes each of them once while it lives.
"""

import hashlib
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec
from sqlalchemy import delete, exists, insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import ledger
from core import clock
from core.keys import Keyring
from incentives import creditcode, numbers
from incentives.codekeys import Keys
from incentives.creditcode import Claims
from incentives.tables import credit_code, credit_code_use

LIFE = timedelta(seconds=creditcode.LIFE)
_JTI = 8


class Code(msgspec.Struct, frozen=True):
    """A drawn code: the text at the counter, and until when (wall clock, 60 s at most)."""

    text: str
    expires_at: datetime


class Mint(msgspec.Struct, frozen=True):
    """What a deployment makes codes with: its keys and the number of its city (GB/T 2260)."""

    keys: Keys
    city: int

    def code(self, *, perk: int, audience: int, at: datetime) -> Code:
        """A fresh code by numbers, of the whole second `at`; no two blanks in a row, which a page or form may join."""
        key, second = self.keys.current(at), at.replace(microsecond=0)
        while True:
            claims = Claims(key.byte, self.city, secrets.token_bytes(_JTI), int(second.timestamp()), perk, audience)
            if "  " not in (text := creditcode.write(claims, key.sign)):
                return Code(text, second + LIFE)

    def shown(self, text: str, *, at: datetime) -> Claims | None:
        """What a code of this city says that was shown at an instant, within its life and the skew; else None."""
        try:
            claims, message, signature = creditcode.read(text)
            issued = datetime.fromtimestamp(claims.issued, UTC)
        except (ValueError, OverflowError):
            return None
        fresh = -creditcode.SKEW <= (at - issued).total_seconds() <= claims.life + creditcode.SKEW
        if claims.city != self.city or not 0 < claims.life <= creditcode.LIFE or not fresh:
            return None
        return claims if self.keys.signed(claims.key, message, signature, at=issued) else None


@lru_cache(maxsize=8)
def mint(ring: Keyring, city_code: str, serial: int) -> Mint:
    """The mint of a deployment, made once a process; `serial`: see `incentives.codekeys`."""
    return Mint(Keys(ring, serial), int(city_code))


async def draw(
    session: AsyncSession, by: Mint, *, citizen_id: uuid.UUID, perk_id: str, partner_id: str | None = None
) -> Code:
    """Record the one-use consent and draw a code. The caller has made sure that the perk is granted.

    An older code for the perk that was not used yet dies now; a used one stays, for the merchant who asks again.
    """
    older = (credit_code.c.citizen_id == citizen_id) & (credit_code.c.perk_id == perk_id)
    used = exists().where(credit_code_use.c.hash == credit_code.c.hash)
    await session.execute(delete(credit_code).where(older, ~used))
    consent_id = await ledger.give_one_use(
        session, citizen_id=citizen_id, purpose=f"use:{partner_id or 'any'}/{perk_id}", until=clock.civil() + LIFE
    )
    perk, audience = await numbers.of(session, perk_id=perk_id, partner_id=partner_id)
    code = by.code(perk=perk, audience=audience, at=clock.wall())
    await session.execute(
        insert(credit_code).values(
            hash=digest(code.text),
            citizen_id=citizen_id,
            consent_id=consent_id,
            perk_id=perk_id,
            partner_id=partner_id,
            expires_at=code.expires_at,
        )
    )
    return code


def digest(text: str) -> bytes:
    """SHA-256 of a code as it is printed; letter case and blanks around it do not matter."""
    return hashlib.sha256(text.strip().upper().encode()).digest()

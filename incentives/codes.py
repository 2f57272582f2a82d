"""Credit codes: drawn by a citizen for a perk that is granted, shown at a counter, good for a minute and for one use.

A code is `OS1:` and 128 random bits; only its SHA-256 is stored, so the table tells nobody a code. Drawing is the
citizen's consent for this one use. A new code for the same perk ends the older one, so that nobody hoards them.
"""

import base64
import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, exists, insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import ledger
from core import clock
from incentives.tables import credit_code, credit_code_use

LIFE = timedelta(seconds=60)
PREFIX = "OS1:"
_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")


class Code(msgspec.Struct, frozen=True):
    """A drawn code: the text at the counter, and until when (wall clock, 60 s)."""

    text: str
    expires_at: datetime


async def draw(session: AsyncSession, *, citizen_id: uuid.UUID, perk_id: str, partner_id: str | None = None) -> Code:
    """Record the one-use consent and draw a code. The caller has made sure that the perk is granted.

    An older code for the perk that was not used yet dies now; a used one stays, for the merchant who asks again.
    """
    older = (credit_code.c.citizen_id == citizen_id) & (credit_code.c.perk_id == perk_id)
    used = exists().where(credit_code_use.c.hash == credit_code.c.hash)
    await session.execute(delete(credit_code).where(older, ~used))
    consent_id = await ledger.give_one_use(
        session, citizen_id=citizen_id, purpose=f"use:{partner_id or 'any'}/{perk_id}", until=clock.civil() + LIFE
    )
    code = Code(new_text(), clock.wall() + LIFE)
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


def new_text() -> str:
    """A fresh code: 26 characters of Crockford base32 behind the prefix, for a QR code's dense alphanumeric mode."""
    letters = base64.b32encode(b"\0\0\0\0" + secrets.token_bytes(16))[6:32]
    return PREFIX + letters.translate(_CROCKFORD).decode()


def digest(text: str) -> bytes:
    """SHA-256 of a code as it is printed; letter case and blanks around it do not matter."""
    return hashlib.sha256(text.strip().upper().encode()).digest()

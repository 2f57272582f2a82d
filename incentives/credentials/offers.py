"""Offers to a wallet (OpenID4VCI 1.0, sections 3.5 and 4.1): a pre-authorised code, and words beside it.

The code is in the picture that a wallet reads; the words, six digits, are shown once to the citizen, who types them
into the wallet, so that whoever only saw the picture has nothing. Promises: an offer is redeemed once, within five
minutes, by the first who has both, and dies of five wrong words; only digests are stored, that of the words keyed.
What it is redeemed for is an opaque token, good at one address, for one wallet's key and for five minutes.
"""

import hashlib
import hmac
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.keys import Keyring
from incentives.credentials.tables import credential_offer

LIFE = timedelta(minutes=5)
TOKEN_LIFE = timedelta(minutes=5)
DIGITS = 6
TRIES = 5
_REDEEM = text("select incentives.redeem_offer(:code, :proof, :tries, :jkt, :token, :until)")

Verdict = Literal["given", "wrong", "replayed", "ended", "dead"]


class Offer(msgspec.Struct, frozen=True):
    """A drawn offer: `code` for the picture, `words` for the citizen alone."""

    code: str
    words: str
    expires_at: datetime


async def draw(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, consent_id: uuid.UUID) -> Offer:
    """An offer that stands on a consent of the citizen."""
    code, words = secrets.token_urlsafe(32), f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    until = clock.wall() + LIFE
    row = {"hash": _hash(code), "citizen_id": citizen_id, "consent_id": consent_id, "expires_at": until}
    await session.execute(insert(credential_offer).values(**row, proof=_proof(ring, code, words)))
    return Offer(code, words, until)


async def redeem(session: AsyncSession, ring: Keyring, *, code: str, words: str, jkt: str) -> tuple[Verdict, str]:
    """What came of it, and the token where it was given; the caller commits either way, since tries are counted."""
    token = secrets.token_urlsafe(32)
    given = {
        "code": _hash(code), "proof": _proof(ring, code, words), "tries": TRIES, "jkt": jkt, "token": token_hash(token),
        "until": clock.wall() + TOKEN_LIFE,
    }  # fmt: skip
    verdict: Verdict = await session.scalar(_REDEEM, given)
    return verdict, token


def token_hash(token: str) -> bytes:
    """What of a token is stored."""
    return _hash(token)


def _proof(ring: Keyring, code: str, words: str) -> bytes:
    """The digest of the words; keyed, since a million of them are quickly tried."""
    return hmac.digest(ring.derive("offer-words"), f"{code}|{words}".encode(), "sha256")


def _hash(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()

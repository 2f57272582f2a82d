"""Printed receipts: a signed slip, short enough for a QR code, and the check that anybody can make of it.

A slip is a JWS (RFC 7515) of `typ` `consent-slip+jwt` by the key of consent receipts. It says which consent, for what,
from when, until when and how it stands, and names the whole receipt by its hash; no name, no number. Checking looks
nothing up: it tells whether we signed it, and shows what the holder of the paper carries anyway.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from api.deps import House
from auth.consent import receipts, terms
from auth.consent.ledger import Consent
from core import clock, ids, jose
from core.keys import Keyring
from core.signed import Signer

TYPE = "consent-slip+jwt"
LONGEST = 65_536
_TYPES = frozenset({TYPE, receipts.TYPE, "erasure-certificate+jwt"})


class Slip(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a slip says; `receipt` is the SHA-256 (hex) of the whole receipt, `printed` the day of printing."""

    consent: str
    purpose: str
    state: str
    given: str
    until: str
    printed: str
    receipt: str
    ended: str | None = None


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A slip, a consent receipt or an erasure certificate, as compact JWS."""

    receipt: Annotated[str, Meta(min_length=1, max_length=LONGEST)]


class Checked(msgspec.Struct, frozen=True):
    """`valid`: we signed exactly this. Then `type` is what it is, and `content` what it says; else both are null."""

    valid: bool
    type: str | None = None
    content: dict[str, Any] | None = None


def slip(ring: Keyring, one: Consent) -> str:
    """The signed slip of a consent as it stands now."""
    return _signer(ring).sign(
        Slip(
            consent=ids.show("co", one.id),
            purpose=one.purpose,
            state=one.state,
            given=clock.day_of(one.given_at).isoformat(),
            until=terms.last_day(one.expires_at).isoformat(),
            printed=clock.today().isoformat(),
            receipt=hashlib.sha256(one.receipt.encode()).hexdigest(),
            ended=clock.day_of(one.ended_at).isoformat() if one.ended_at else None,
        )
    )


@lru_cache(maxsize=4)
def _signer(ring: Keyring) -> Signer:
    return Signer(ring.ed25519(receipts.KEY), TYPE)


def check(ring: Keyring, text: str) -> Checked:
    """Whether a text was signed by us as one of the papers that citizens get."""
    try:
        signed = jose.parse(text.strip(), longest=LONGEST)
        jose.verify(signed, _key(ring, signed.header))
    except jose.NotSigned:
        return Checked(valid=False)
    return Checked(valid=True, type=str(signed.header["typ"]), content=dict(signed.claims))


def _key(ring: Keyring, header: Mapping[str, Any]) -> jose.PublicKey:
    """The key of our papers, as `/.well-known/jwks.json` publishes it; raises NotSigned for what is none of them."""
    if header.get("kid") != receipts.KEY or header.get("typ") not in _TYPES:
        message = "not one of our papers"
        raise jose.NotSigned(message)
    return ring.ed25519(receipts.KEY)


@post("/v1/rules/receipts/verify", status_code=200, summary="Check a receipt", tags=["rules"])
async def verify(data: JSONBody[Check], house: NamedDependency[House]) -> Checked:
    """Say whether we signed a receipt, and what it says. Nothing is looked up, kept or counted."""
    return check(house.ring, data.receipt)


handlers = [Router(path="/", route_handlers=[verify])]

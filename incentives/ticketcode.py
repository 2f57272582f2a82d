"""The text of a ticket or pass, TK1: 29 bytes that a gate without a line can read, signed with Ed25519, for a QR code.

Pure. `TK1:` and base45 (RFC 9285) of: version, key, city u32, the order's number of 8 random bytes, from and until u32
(unix seconds), admissions a day u8, perk u16, audience u32, all big-endian, and the 64-byte signature over `TK1`, a
zero byte and those 29 bytes. It is good for one civil day, so it can be drawn beforehand and shown without a network;
what a gate must remember is the number. It names no person, and only the partner who sold it knows the number.

docs/gate/osmanthus_ticket.py reads it and imports nothing of this.
"""

from collections.abc import Callable
from struct import Struct as Layout

import msgspec

from core.errors import NotFound
from incentives.creditcode import base45

PREFIX = "TK1:"
DOMAIN = b"TK1\x00"
_VERSION = 1
_LAYOUT = Layout(">BBI8sIIBHI")
_SIGNATURE = 64
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


class Claims(msgspec.Struct, frozen=True):
    """What a text says. `begins`, `ends`: unix seconds, the second not included; `per_day`: how often it admits."""

    key: int
    city: int
    number: bytes
    begins: int
    ends: int
    per_day: int
    perk: int
    audience: int


def write(claims: Claims, sign: Callable[[bytes], bytes]) -> str:
    """Give the text; `sign` is Ed25519's (RFC 8032)."""
    body = _LAYOUT.pack(_VERSION, *msgspec.structs.astuple(claims))
    return PREFIX + base45(body + sign(DOMAIN + body))


def number(text: str) -> bytes:
    """Give the number in a text; with a line the order behind it is what counts. Raises NotFound for another text."""
    text = text.strip().upper()
    raw = _bytes(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else b""
    if len(raw) != _LAYOUT.size + _SIGNATURE or raw[0] != _VERSION:
        raise NotFound
    return _LAYOUT.unpack(raw[: _LAYOUT.size])[3]


def _bytes(text: str) -> bytes:
    """The bytes of base45; nothing for what no encoder writes."""
    found = bytearray()
    for at in range(0, len(text), 3):
        places = [_ALPHABET.find(letter) for letter in text[at : at + 3]]
        value = sum(place * 45**power for power, place in enumerate(places))
        if -1 in places or len(places) == 1 or value >= 256 ** (len(places) - 1):
            return b""
        found += value.to_bytes(len(places) - 1, "big")
    return bytes(found)

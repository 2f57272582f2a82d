"""The credit code CC1: 25 bytes that say one thing, signed with Ed25519, as text for a QR code.

Pure. `CC1:` and base45 (RFC 9285) of: version, key, city u32, 8 random bytes, issued u32 (unix seconds), life u8 (s),
perk u16, audience u32, all big-endian, and the 64-byte signature over `CC1`, a zero byte and those 25 bytes. 138
characters of the alphanumeric set: a QR of version 6, level M. It names no person; only the issuer can tell whose it
is. The audience is a number of `incentives.numbers`: a partner, or the programme of a perk; nought, which would be
everybody, is refused.

What a gate without a line does with it stands in `docs/gate/osmanthus_gate.py`, which imports nothing of this.
"""

from collections.abc import Callable
from struct import Struct as Layout

import msgspec

PREFIX = "CC1:"
DOMAIN = b"CC1\x00"
LIFE = 60
SKEW = 10
PERKS = 2**16 - 1
AUDIENCES = 2**32 - 1
_VERSION = 1
_SIGNATURE = 64
_LAYOUT = Layout(">BBI8sIBHI")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


class Claims(msgspec.Struct, frozen=True):
    """What a code says. `jti`: 8 random bytes; `issued`: unix second; `perk`, `audience`: numbers, never nought."""

    key: int
    city: int
    jti: bytes
    issued: int
    perk: int
    audience: int
    life: int = LIFE


def write(claims: Claims, sign: Callable[[bytes], bytes]) -> str:
    """Give the text; `sign` is Ed25519's (RFC 8032). Raises ValueError for a number that names nobody."""
    if not (0 < claims.perk <= PERKS and 0 < claims.audience <= AUDIENCES and 0 < claims.life <= LIFE):
        raise ValueError("a credit code names one perk and one audience, and lives a minute at most")
    body = _LAYOUT.pack(
        _VERSION, claims.key, claims.city, claims.jti, claims.issued, claims.life, claims.perk, claims.audience
    )
    return PREFIX + base45(body + sign(DOMAIN + body))


def read(text: str) -> tuple[Claims, bytes, bytes]:
    """What a code says, the bytes that are signed, and the signature, of which nothing is checked yet.

    Raises ValueError for what `write` never gave.
    """
    text = text.strip().upper()
    raw = _bytes(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else b""
    if len(raw) != _LAYOUT.size + _SIGNATURE or raw[0] != _VERSION:
        raise ValueError("not a credit code")
    _, key, city, jti, issued, life, perk, audience = _LAYOUT.unpack(raw[: _LAYOUT.size])
    return Claims(key, city, jti, issued, perk, audience, life), DOMAIN + raw[: _LAYOUT.size], raw[_LAYOUT.size :]


def base45(data: bytes) -> str:
    """RFC 9285, section 4: three characters for two bytes, two for a last one, each least significant first."""
    pairs = [data[at : at + 2] for at in range(0, len(data), 2)]
    return "".join(_characters(int.from_bytes(pair), 1 + len(pair)) for pair in pairs)


def _characters(value: int, count: int) -> str:
    return "".join(_ALPHABET[value // 45**place % 45] for place in range(count))


def _bytes(text: str) -> bytes:
    """The bytes of RFC 9285. Raises ValueError for what no encoder writes."""
    found = bytearray()
    for at in range(0, len(text), 3):
        digits = [_ALPHABET.index(letter) for letter in text[at : at + 3]]
        value = sum(digit * 45**place for place, digit in enumerate(digits))
        size = len(digits) - 1
        if size == 0 or value >= 256**size:
            raise ValueError("not base45")
        found += value.to_bytes(size)
    return bytes(found)

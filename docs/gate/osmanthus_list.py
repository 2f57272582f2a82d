"""Read what a gate fetches beforehand: the signed list of cards that hold a perk, and the published perks.

A list is a JWS (typ `entitlement-list+jwt`, EdDSA, a key of `/.well-known/jwks.json`): one bit an index, compressed as
the Token Status List has it, or only what changed since the list that the gate has. Public domain.
"""

from __future__ import annotations

import json
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from osmanthus_gate import decoded

MOST_BYTES = 1 << 24
TYPE = "entitlement-list+jwt"


class Listed:
    """Which cards hold a perk, until when this may be believed, and whether value hangs on it."""

    def __init__(self, said: dict[str, Any]) -> None:
        """`said`: the payload of a whole list."""
        self.perk, self.operator = said["perk"], said["aud"]
        self._heed(said, unpacked(said["status_list"]))

    @classmethod
    def of(cls, lists: Iterable[str], jwks: dict[str, Any]) -> Listed:
        """A whole list and the changes after it, each a JWS. Raises ValueError, InvalidSignature."""
        first, *changes = (opened(one, jwks) for one in lists)
        listed = cls(first)
        for one in changes:
            listed.change(one)
        return listed

    def holds(self, index: int) -> bool:
        """Whether the card of an index holds the perk; nobody's index does not."""
        byte, bit = divmod(index, 8)
        return 0 <= byte < len(self._bits) and bool(self._bits[byte] >> bit & 1)

    def change(self, said: dict[str, Any]) -> None:
        """Apply what changed since this list; ValueError for the changes of another."""
        if (said["perk"], said["aud"], said["since"]) != (self.perk, self.operator, self.seq):
            raise ValueError("changes of another list")
        turned = int.from_bytes(unpacked(said["changed"])) ^ int.from_bytes(self._bits)
        self._heed(said, turned.to_bytes(len(self._bits)))

    def _heed(self, said: dict[str, Any], bits: bytes) -> None:
        if sha256(bits).hexdigest() != said["digest"]:
            raise ValueError("these are not the bits that were signed")
        self._bits, self.seq, self.until, self.value = bits, said["seq"], said["exp"], said["worth"] == "value"


def unpacked(held: dict[str, Any]) -> bytes:
    """Base64url of a ZLIB stream of one bit an index, as the Token Status List packs it (section 4)."""
    reader = zlib.decompressobj()
    bits = reader.decompress(decoded(held["lst"]), MOST_BYTES + 1)
    if held["bits"] != 1 or len(bits) > MOST_BYTES or not reader.eof:
        raise ValueError("no list")
    return bits


def opened(token: str, jwks: dict[str, Any]) -> dict[str, Any]:
    """The payload of a list, once its signature holds. Raises ValueError, InvalidSignature."""
    signed, _, signature = token.rpartition(".")
    head, body = (json.loads(decoded(part)) for part in signed.split("."))
    if (head["alg"], head["typ"]) != ("EdDSA", TYPE):
        raise ValueError("not a list of entitlements")
    (key,) = [one for one in jwks["keys"] if one.get("kid") == head["kid"] and one.get("crv") == "Ed25519"]
    Ed25519PublicKey.from_public_bytes(decoded(key["x"])).verify(decoded(signature), signed.encode())
    return body


def published(headers: Mapping[str, str], body: bytes, jwks: dict[str, Any]) -> dict[str, Any]:
    """A published rule, once its detached signature holds (RFC 7515, appendix F; ES256, key `rules-1`)."""
    protected, _, signature = headers["x-jws-signature"].split(".")
    (key,) = [one for one in jwks["keys"] if one.get("kid") == "rules-1"]
    point = [int.from_bytes(decoded(key[name])) for name in ("x", "y")]
    raw = decoded(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    signed = f"{protected}.{encoded(body)}".encode()
    EllipticCurvePublicNumbers(*point, SECP256R1()).public_key().verify(der, signed, ECDSA(SHA256()))
    return json.loads(body)


def encoded(data: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()

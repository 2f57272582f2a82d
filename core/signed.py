"""Compact JWS (RFC 7515 section 3.1) by Ed25519 (RFC 8037) or P-256: statements that anybody can check.

Ed25519 is deterministic, so the same statement has the same bytes and need not be stored to be repeated. The header
says `EdDSA`, the name that every JOSE library knows (RFC 9864 prefers `Ed25519`, which few read yet). Credentials and
what belongs to them are signed by ES256, the one algorithm that every wallet has.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry


class Signer:
    """Signs statements of one `typ` with one key; made once."""

    def __init__(self, key: OKPKey | ECKey, typ: str) -> None:
        """`key` is a private Ed25519 or P-256 key; its `kid` goes into the header. Raises TypeError for another."""
        algorithm, self._sign = _way(key)
        self._prefix = _b64(msgspec.json.encode({"alg": algorithm, "kid": key.kid, "typ": typ})) + b"."

    def sign(self, payload: object) -> str:
        """The compact JWS over `payload` as JSON."""
        return self.sign_bytes(msgspec.json.encode(payload)).decode()

    def sign_bytes(self, payload: bytes) -> bytes:
        """The compact JWS over the bytes of a payload."""
        signed = self._prefix + _b64(payload)
        return signed + b"." + _b64(self._sign(signed))


def _way(key: OKPKey | ECKey) -> tuple[str, Callable[[bytes], bytes]]:
    private: Any = key.private_key
    if isinstance(private, Ed25519PrivateKey):
        return "EdDSA", private.sign
    if isinstance(key, ECKey) and key.curve_name == "P-256" and private is not None:
        algorithm = JWSRegistry.algorithms["ES256"]
        return "ES256", lambda message: algorithm.sign(message, key)
    raise TypeError("statements are signed with Ed25519 or P-256")


def epoch_day(day: date) -> int:
    """The unix second at which a day begins in UTC: times that are rounded so that they tell nobody apart."""
    return int(datetime.combine(day, time(), UTC).timestamp())


def _b64(data: bytes) -> bytes:
    """Base64url without padding (RFC 7515, appendix C)."""
    return urlsafe_b64encode(data).rstrip(b"=")

"""Compact JWS by Ed25519 (RFC 7515 section 3.1, RFC 8037): receipts and other statements that anybody can check.

Ed25519 is deterministic, so the same statement has the same bytes and need not be stored to be repeated. The header
says `EdDSA`, the name that every JOSE library knows (RFC 9864 prefers `Ed25519`, which few read yet).
"""

from base64 import urlsafe_b64encode
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey


class Signer:
    """Signs statements of one `typ` with one key; made once."""

    def __init__(self, key: OKPKey, typ: str) -> None:
        """`key` is a private Ed25519 key; its `kid` goes into the header. Raises TypeError for another kind of key."""
        private: Any = key.private_key
        if not isinstance(private, Ed25519PrivateKey):
            raise TypeError("statements are signed with Ed25519")
        self._private = private
        self._prefix = _b64(msgspec.json.encode({"alg": "EdDSA", "kid": key.kid, "typ": typ})) + b"."

    def sign(self, payload: object) -> str:
        """The compact JWS over `payload` as JSON."""
        signed = self._prefix + _b64(msgspec.json.encode(payload))
        return (signed + b"." + _b64(self._private.sign(signed))).decode()


def _b64(data: bytes) -> bytes:
    """Base64url without padding (RFC 7515, appendix C)."""
    return urlsafe_b64encode(data).rstrip(b"=")

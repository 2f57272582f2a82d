"""Signed decision receipts: a partner can show later what it was told, and anybody can check it offline.

A receipt is a compact JWS (RFC 7515, section 3.1) with `typ` `decision-receipt+jwt`, signed with Ed25519 (RFC 8037) by
the key that `/.well-known/jwks.json` publishes as `rcpt-1`. Ed25519 is deterministic, so the same answer has the same
bytes and nothing has to be stored to repeat it. A receipt names no person and no cause that is personal.
"""

from base64 import urlsafe_b64encode
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

KID = "rcpt-1"
TYPE = "decision-receipt+jwt"


class Signer:
    """Signs receipts of one issuer with one key; made once."""

    def __init__(self, key: OKPKey, *, issuer: str) -> None:
        """`key` is a private Ed25519 key; its `kid` goes into the header."""
        header = msgspec.json.encode({"alg": "EdDSA", "kid": key.kid, "typ": TYPE})
        self._prefix = _b64(header) + b"."
        self._issuer = issuer
        private: Any = key.private_key
        if not isinstance(private, Ed25519PrivateKey):
            message = "receipts are signed with Ed25519"
            raise TypeError(message)
        self._private = private

    def sign(self, answer: msgspec.Struct, *, partner: str, issued: int) -> str:
        """The receipt over `answer`'s members, for `partner`, issued at unix second `issued`."""
        claims = {"iss": self._issuer, "aud": partner, "iat": issued, **msgspec.structs.asdict(answer)}
        signed = self._prefix + _b64(msgspec.json.encode({k: v for k, v in claims.items() if v is not msgspec.UNSET}))
        return (signed + b"." + _b64(self._private.sign(signed))).decode()


def _b64(data: bytes) -> bytes:
    """Base64url without padding (RFC 7515, appendix C)."""
    return urlsafe_b64encode(data).rstrip(b"=")

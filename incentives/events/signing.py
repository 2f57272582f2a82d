"""Standard Webhooks 1.0.0: what is sent, and how it is signed. Pure.

`webhook-id` is the event's, the same at every attempt; `webhook-timestamp` is the attempt's; `webhook-signature` holds,
for each secret that is good now, `v1,` HMAC-SHA-256 and `v1a,` Ed25519 over `id.timestamp.body`, divided by spaces.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LARGEST = 20_000


class Secret(msgspec.Struct, frozen=True):
    """One generation of a webhook's secrets, 32 bytes each: for HMAC, and the seed of an Ed25519 key. Never log it."""

    symmetric: bytes
    seed: bytes

    @property
    def shown(self) -> str:
        """`whsec_…`, which verifies and could sign."""
        return "whsec_" + b64encode(self.symmetric).decode()

    @property
    def public(self) -> str:
        """`whpk_…`, which verifies."""
        key = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return "whpk_" + b64encode(key.public_bytes_raw()).decode()

    def __repr__(self) -> str:
        """Nothing of it."""
        return "Secret()"


def body(*, kind: str, at: datetime, data: str) -> bytes:
    """The message of an event: the same bytes at every attempt. `data` is JSON."""
    return msgspec.json.encode({"type": kind, "timestamp": at, "data": msgspec.Raw(data.encode())})


def headers(message_id: str, at: datetime, message: bytes, secrets: Sequence[Secret]) -> Mapping[str, str]:
    """The headers of one attempt at an instant."""
    timestamp = str(int(at.timestamp()))
    return {
        "content-type": "application/json",
        "user-agent": "Osmanthus",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signatures(f"{message_id}.{timestamp}.".encode() + message, secrets)),
    }


def _signatures(signed: bytes, secrets: Sequence[Secret]) -> list[str]:
    made: list[str] = []
    for secret in secrets:
        private = Ed25519PrivateKey.from_private_bytes(secret.seed)
        made += [
            "v1," + b64encode(hmac.digest(secret.symmetric, signed, "sha256")).decode(),
            "v1a," + b64encode(private.sign(signed)).decode(),
        ]
    return made

"""Which key signs credit codes when: one a calendar quarter (UTC), so that all processes agree without talking.

A code names its key by one byte, `/.well-known/jwks.json` the same key as `cc-<byte>`. A gate that knew today's keys
knows tomorrow's: a key is published for the whole quarter before its own, and a little after it, so a gate may be
without a line for weeks. `serial` is the operator's emergency switch, as for access tokens: another number, other keys,
other bytes. A byte comes again after eight years, for another key.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

from core.keys import Keyring
from incentives import creditcode

_FIRST = 2026 * 4
_SERIALS = 8
_BYTES = 256
_OVERLAP = timedelta(seconds=2 * (creditcode.LIFE + creditcode.SKEW))


class Key(msgspec.Struct, frozen=True):
    """A signing key: the byte that a code names it by, and its signature of Ed25519."""

    byte: int
    sign: Callable[[bytes], bytes]


class Keys:
    """The keys of one deployment, each derived once."""

    def __init__(self, ring: Keyring, serial: int = 0) -> None:
        """`serial`: see above."""
        self._ring = ring
        self._serial = serial
        self._made: dict[int, Ed25519PrivateKey] = {}

    def current(self, at: datetime) -> Key:
        """The key that signs at an instant."""
        quarter = _quarter(at)
        return Key(self._byte(quarter), self._private(quarter).sign)

    def published(self, at: datetime) -> list[OKPKey]:
        """The public keys of an instant: this quarter's, the next one's, and for two minutes the last one's."""
        quarter = _quarter(at)
        held = (quarter, quarter + 1) if _quarter(at - _OVERLAP) == quarter else (quarter, quarter + 1, quarter - 1)
        return [self._public(one) for one in held]

    def signed(self, byte: int, message: bytes, signature: bytes, *, at: datetime) -> bool:
        """Whether the key of an instant, named by its byte, signed a message."""
        private = self._private(_quarter(at))
        if byte != self._byte(_quarter(at)):
            return False
        try:
            private.public_key().verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def _private(self, quarter: int) -> Ed25519PrivateKey:
        if quarter not in self._made:
            label = f"ed25519|cc|{quarter}.{self._serial}"
            self._made[quarter] = Ed25519PrivateKey.from_private_bytes(self._ring.derive(label))
        return self._made[quarter]

    def _public(self, quarter: int) -> OKPKey:
        kid = f"cc-{self._byte(quarter)}"
        return OKPKey.import_key(self._private(quarter).public_key(), {"kid": kid, "alg": "EdDSA", "use": "sig"})

    def _byte(self, quarter: int) -> int:
        return ((quarter - _FIRST) * _SERIALS + self._serial % _SERIALS) % _BYTES


def _quarter(at: datetime) -> int:
    return at.year * 4 + (at.month - 1) // 3

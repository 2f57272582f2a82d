"""Nonces for wallets' proofs (OpenID4VCI 1.0, section 7): given to anybody, good for minutes, used once.

Nothing is stored when one is given, so asking for many costs nobody anything: a nonce is its own end and a MAC. Using
one leaves its digest in the short-lived store until it would be over, so it is used once; the store of another epoch,
which may have forgotten that, takes no nonce of the one before.
"""

import hashlib
import hmac
import secrets
import struct

from core import clock, jose
from core.keys import Keyring
from core.shortlived import Store

LIFE = 300
_RANDOM, _MAC = 12, 16


async def give(ring: Keyring, short: Store) -> str:
    """A fresh nonce."""
    body = struct.pack(">I", int(clock.wall().timestamp()) + LIFE) + secrets.token_bytes(_RANDOM)
    return jose.base64(body + _mac(ring, body, await short.epoch()))


async def use(ring: Keyring, short: Store, nonce: str) -> bool:
    """Spend a nonce; False for one that is not ours, over, or spent."""
    raw = _raw(nonce)
    body, mac = raw[:-_MAC], raw[-_MAC:]
    if len(body) != struct.calcsize(">I") + _RANDOM:
        return False
    if not hmac.compare_digest(mac, _mac(ring, body, await short.epoch())):
        return False
    left = struct.unpack(">I", body[:4])[0] - clock.wall().timestamp()
    return left > 0 and await short.claim(f"wallet-nonce:{hashlib.sha256(body).hexdigest()}", LIFE)


def _mac(ring: Keyring, body: bytes, epoch: str) -> bytes:
    return hmac.digest(ring.derive("wallet-nonce"), body + epoch.encode(), "sha256")[:_MAC]


def _raw(nonce: str) -> bytes:
    try:
        return jose.raw(nonce)
    except jose.NotSigned:
        return b""

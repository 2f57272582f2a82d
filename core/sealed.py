"""Field encryption: AES-256-GCM, bound to the table, column and row that a value was written for.

Form: version (1) ∥ suite (1) ∥ nonce (12) ∥ ciphertext ∥ tag (16). The associated data names table, column and row,
each length-prefixed, so a value moved elsewhere does not open. Nothing here opens by itself on load: a caller that
wants plaintext says so.
"""

import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_HEADER = b"\x01\x01"
_NONCE = 12
_SHORTEST = 2 + _NONCE + 16


class SealBroken(Exception):
    """The value does not open: another key, another place, or altered bytes."""


def _bound(place: tuple[str, str, bytes]) -> bytes:
    table, column, row = place
    return _column(table, column) + len(row).to_bytes(2) + row


@lru_cache(maxsize=256)
def _column(table: str, column: str) -> bytes:
    return b"".join((_HEADER, *(len(part).to_bytes(2) + part for part in (table.encode(), column.encode()))))


def seal(key: bytes, plaintext: bytes, *, place: tuple[str, str, bytes]) -> bytes:
    """Encrypt for `place` = (table, column, row id bytes). `key` is 32 bytes."""
    nonce = os.urandom(_NONCE)
    return _HEADER + nonce + AESGCM(key).encrypt(nonce, plaintext, _bound(place))


def unseal(key: bytes, sealed: bytes, *, place: tuple[str, str, bytes]) -> bytes:
    """Decrypt what `seal` wrote for the same `place`; raises SealBroken otherwise."""
    if sealed[:2] != _HEADER or len(sealed) < _SHORTEST:
        message = "unknown envelope"
        raise SealBroken(message)
    try:
        return AESGCM(key).decrypt(sealed[2 : 2 + _NONCE], sealed[2 + _NONCE :], _bound(place))
    except InvalidTag as error:
        message = "the value does not open with this key at this place"
        raise SealBroken(message) from error


def digest(key: bytes, value: str) -> bytes:
    """HMAC-SHA-256 of a value under a secret key: finds a row without holding the value (32 bytes)."""
    return hmac.digest(key, value.encode(), "sha256")

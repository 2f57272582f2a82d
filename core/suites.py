"""Suites of algorithms: the international one (1) and the one of the Chinese standards (2, 国密).

| suite | seals with | index and key derivation |
|---|---|---|
| 1 `aes` | AES-256-GCM (NIST SP 800-38D) | HMAC-SHA-256, HKDF-SHA-256 |
| 2 `sm` | SM4-GCM (GB/T 32907, RFC 8998) | HMAC-SM3, HKDF-SM3 (GB/T 32905) |

Every key of ours is 32 random or derived bytes, whatever the suite. SM4 takes 16: they are expanded from the 32 by
HKDF-SM3 (RFC 5869, section 2.3; the input is uniform, so there is nothing to extract) and not cut off, so that no
bytes are ever used as keys of two algorithms.
"""

from collections.abc import Callable
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher as Block
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

NONCE = 12
TAG = 16


class Cipher(Protocol):
    """Authenticated encryption under one key: nonce (12 bytes), text, associated data; the tag (16) comes last."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """Encrypt."""
        ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """Decrypt; raises InvalidTag."""
        ...


class Suite(msgspec.Struct, frozen=True):
    """One suite: `cipher` takes a key of 32 bytes."""

    number: int
    cipher: Callable[[bytes], Cipher]
    hash: hashes.HashAlgorithm

    def expand(self, key: bytes, label: bytes, length: int = 32) -> bytes:
        """A key of its own for `label` from a uniform one. HKDF-Expand, RFC 5869, section 2.3."""
        return HKDFExpand(self.hash, length, label).derive(key)

    def digest(self, key: bytes, value: bytes) -> bytes:
        """HMAC of `value` (32 bytes). RFC 2104."""
        made = hmac.HMAC(key, self.hash)
        made.update(value)
        return made.finalize()


def sm4_encrypt(key: bytes, nonce: bytes, text: bytes, bound: bytes) -> bytes:
    """SM4-GCM with a key of 16 bytes (RFC 8998, section 2)."""
    cipher = Block(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(bound)
    return cipher.update(text) + cipher.finalize() + cipher.tag


def sm4_decrypt(key: bytes, nonce: bytes, text: bytes, bound: bytes) -> bytes:
    """Open what `sm4_encrypt` made; raises InvalidTag."""
    if len(text) < TAG:
        raise InvalidTag
    cipher = Block(algorithms.SM4(key), modes.GCM(nonce, text[-TAG:])).decryptor()
    cipher.authenticate_additional_data(bound)
    return cipher.update(text[:-TAG]) + cipher.finalize()


class Sm4Gcm:
    """SM4-GCM under the 16 bytes that a key of 32 expands to."""

    def __init__(self, key: bytes) -> None:
        """`key` is 32 bytes."""
        self._key = SM.expand(key, b"sm4-gcm", 16)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """See `Cipher`."""
        return sm4_encrypt(self._key, nonce, data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes:
        """See `Cipher`."""
        return sm4_decrypt(self._key, nonce, data, associated_data)


AES = Suite(1, AESGCM, hashes.SHA256())
SM = Suite(2, Sm4Gcm, hashes.SM3())
SUITES = {"aes": AES, "sm": SM}

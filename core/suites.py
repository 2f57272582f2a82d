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

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

NONCE = 12
TAG = 16


class Suite(msgspec.Struct, frozen=True):
    """One suite: `encrypt` and `decrypt` take key (32 bytes), nonce (12), text, associated data; the tag comes last.

    `decrypt` raises InvalidTag.
    """

    number: int
    encrypt: Callable[[bytes, bytes, bytes, bytes], bytes]
    decrypt: Callable[[bytes, bytes, bytes, bytes], bytes]
    hash: hashes.HashAlgorithm

    def expand(self, key: bytes, label: bytes, length: int = 32) -> bytes:
        """A key of its own for `label` from a uniform one. HKDF-Expand, RFC 5869, section 2.3."""
        return HKDFExpand(self.hash, length, label).derive(key)

    def digest(self, key: bytes, value: bytes) -> bytes:
        """HMAC of `value` (32 bytes). RFC 2104."""
        made = hmac.HMAC(key, self.hash)
        made.update(value)
        return made.finalize()


def _aes_encrypt(key: bytes, nonce: bytes, text: bytes, bound: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, text, bound)


def _aes_decrypt(key: bytes, nonce: bytes, text: bytes, bound: bytes) -> bytes:
    return AESGCM(key).decrypt(nonce, text, bound)


def sm4_encrypt(key: bytes, nonce: bytes, text: bytes, bound: bytes) -> bytes:
    """SM4-GCM with a key of 16 bytes (RFC 8998, section 2)."""
    cipher = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    cipher.authenticate_additional_data(bound)
    return cipher.update(text) + cipher.finalize() + cipher.tag


def sm4_decrypt(key: bytes, nonce: bytes, text: bytes, bound: bytes) -> bytes:
    """Open what `sm4_encrypt` made; raises InvalidTag."""
    if len(text) < TAG:
        raise InvalidTag
    cipher = Cipher(algorithms.SM4(key), modes.GCM(nonce, text[-TAG:])).decryptor()
    cipher.authenticate_additional_data(bound)
    return cipher.update(text[:-TAG]) + cipher.finalize()


def _sm_encrypt(key: bytes, nonce: bytes, text: bytes, bound: bytes) -> bytes:
    return sm4_encrypt(_sm4_key(key), nonce, text, bound)


def _sm_decrypt(key: bytes, nonce: bytes, text: bytes, bound: bytes) -> bytes:
    return sm4_decrypt(_sm4_key(key), nonce, text, bound)


def _sm4_key(key: bytes) -> bytes:
    return SM.expand(key, b"sm4-gcm", 16)


AES = Suite(1, _aes_encrypt, _aes_decrypt, hashes.SHA256())
SM = Suite(2, _sm_encrypt, _sm_decrypt, hashes.SM3())
SUITES = {"aes": AES, "sm": SM}

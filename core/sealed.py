"""Field encryption, bound to the table, column and row that a value was written for; and blind indexes.

Form: version (1) ∥ suite (1) ∥ nonce (12) ∥ ciphertext ∥ tag (16). The associated data are the first two bytes, and
table, column and row, each length-prefixed, so a value moved elsewhere or called another suite's does not open. What
is written follows the process's suite (`choose`); what either suite wrote opens. Nothing here opens by itself on load:
a caller that wants plaintext says so.
"""

import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag

from core.suites import AES, NONCE, SUITES, TAG, Cipher, Suite

_VERSION = 1
_SHORTEST = 2 + NONCE + TAG
_BY_HEADER = {bytes((_VERSION, suite.number)): suite for suite in SUITES.values()}

_suite = AES
_header = bytes((_VERSION, AES.number))


class SealBroken(Exception):
    """The value does not open: another key, another place, or altered bytes."""


class Kept:
    """A key with its ciphers made once, for a key that opens many values: an epoch's. Personal keys are not kept."""

    __slots__ = ("_ciphers", "_key")

    def __init__(self, key: bytes) -> None:
        """`key` is 32 bytes."""
        self._key = key
        self._ciphers: dict[int, Cipher] = {}

    def cipher(self, suite: Suite) -> Cipher:
        """This key's cipher of a suite."""
        if (found := self._ciphers.get(suite.number)) is None:
            found = self._ciphers[suite.number] = suite.cipher(self._key)
        return found


def choose(name: str) -> None:
    """Write with this suite from now on in this process: `aes` or `sm`. Raises KeyError."""
    global _suite, _header  # noqa: PLW0603  (one process, one suite; every value says which one it was sealed with)
    _suite = SUITES[name]
    _header = bytes((_VERSION, _suite.number))


def seal(key: bytes | Kept, plaintext: bytes, *, place: tuple[str, str, bytes]) -> bytes:
    """Encrypt for `place` = (table, column, row id bytes). `key` is 32 bytes."""
    nonce = os.urandom(NONCE)
    cipher = key.cipher(_suite) if isinstance(key, Kept) else _suite.cipher(key)
    return _header + nonce + cipher.encrypt(nonce, plaintext, _bound(_header, place))


def unseal(key: bytes | Kept, sealed: bytes, *, place: tuple[str, str, bytes]) -> bytes:
    """Decrypt what `seal` wrote for the same `place`; raises SealBroken otherwise."""
    header = sealed[:2]
    suite = _BY_HEADER.get(header)
    if suite is None or len(sealed) < _SHORTEST:
        message = "unknown envelope"
        raise SealBroken(message)
    cipher = key.cipher(suite) if isinstance(key, Kept) else suite.cipher(key)
    try:
        return cipher.decrypt(sealed[2 : 2 + NONCE], sealed[2 + NONCE :], _bound(header, place))
    except InvalidTag as error:
        message = "the value does not open with this key at this place"
        raise SealBroken(message) from error


def digest(key: bytes, value: str) -> bytes:
    """HMAC-SHA-256 of a value under a key shared with others or made for the moment (32 bytes)."""
    return hmac.digest(key, value.encode(), "sha256")


def blind(key: bytes, number: int, column: str, value: str) -> list[bytes]:
    """What finds `value` in the index `column` under the numbered 32-byte key, the process's suite first.

    Each is suite (1) ∥ number (2) ∥ HMAC (32), under a key of its own for the column. ID numbers can be guessed by
    whoever has the key: it is an epoch's, so that it goes with the epoch.
    """
    suites: list[Suite] = sorted(SUITES.values(), key=lambda suite: suite is not _suite)
    return [
        bytes((suite.number,))
        + number.to_bytes(2)
        + suite.digest(suite.expand(key, f"blind|{column}".encode()), value.encode())
        for suite in suites
    ]


def _bound(header: bytes, place: tuple[str, str, bytes]) -> bytes:
    table, column, row = place
    return _column(header, table, column) + len(row).to_bytes(2) + row


@lru_cache(maxsize=512)
def _column(header: bytes, table: str, column: str) -> bytes:
    return b"".join((header, *(len(part).to_bytes(2) + part for part in (table.encode(), column.encode()))))

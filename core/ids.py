"""Identifiers: UUIDs inside, prefixed text outside.

`new()` is UUIDv7 (RFC 9562, section 5.7): time-ordered, for our own rows and what a citizen sees of their own.
`random()` is UUIDv4, for everything that a partner or a source sees about a holder: it tells neither when nor who.
Text form: prefix, underscore, 26 characters of Crockford base32 (upper case, no I L O U).
"""

import os
import uuid

from core import clock
from core.errors import NotFound

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTERS = frozenset(_ALPHABET)
_PAIRS = [one + two for one in _ALPHABET for two in _ALPHABET]
_PLACES = range(120, -1, -10)  # 130 bits, two letters at a time
_DIGITS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # as int(…, 32) reads them
_LENGTH = 26
_LOW = (1 << 62) - 1


def new() -> uuid.UUID:
    """A fresh UUIDv7: 48 bits of milliseconds, 74 random bits."""
    milliseconds = int(clock.wall().timestamp() * 1000)
    chance = int.from_bytes(os.urandom(10))
    high, low = chance >> 68, chance & _LOW
    return uuid.UUID(int=(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)


def random() -> uuid.UUID:
    """A fresh UUIDv4, never time-ordered."""
    return uuid.uuid4()


def show(prefix: str, value: uuid.UUID) -> str:
    """`show("co", id)` -> `co_` + 26 characters."""
    number = value.int
    return f"{prefix}_{''.join([_PAIRS[number >> place & 1023] for place in _PLACES])}"


def read(prefix: str, text: str) -> uuid.UUID:
    """The UUID behind `text`; anything that `show` did not write is `NotFound`, like an id that does not exist."""
    body = text.removeprefix(f"{prefix}_")
    if len(body) != _LENGTH or len(body) == len(text) or not _LETTERS.issuperset(body):
        raise NotFound
    number = int(body.translate(_DIGITS), 32)
    if number >> 128:
        raise NotFound
    return uuid.UUID(int=number)

"""Check digits of the two national codes: the citizen's ID number and an organisation's unified social credit code.

Pure. Says whether a number can exist, never whether it was issued or to whom. Nothing here is logged or kept.
"""

import re
from datetime import date
from operator import mul

_CITIZEN = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ZERO = ord("0") * sum(_WEIGHTS)
_CHECKS = "10X98765432"
_LENGTH = 18
_NOWHERE = "000000"

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_POWERS = tuple(pow(3, place, 31) for place in range(17))


def normal(number: str) -> str:
    """Give the one spelling that is digested: the check character X as a capital."""
    return number.upper()


def check(number: str) -> date | None:
    """Give the birth date of a well-formed ID number (GB 11643-1999), None when it cannot exist.

    Length, check character (MOD 11-2), a real birth date and a region other than 000000 are looked at.
    """
    text = normal(number)
    if len(text) != _LENGTH or not _CITIZEN.fullmatch(text) or text.startswith(_NOWHERE):
        return None
    total = sum(map(mul, text.encode(), _WEIGHTS)) - _ZERO
    if _CHECKS[total % 11] != text[17]:
        return None
    try:
        return date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return None


def complete(first: str) -> str:
    """Add the check character to the first 17 digits of an ID number (GB 11643-1999); for made-up people."""
    total = sum([int(digit) * weight for digit, weight in zip(first, _WEIGHTS, strict=True)])
    return first + _CHECKS[total % 11]


def organisation(code: str) -> bool:
    """Say whether a unified social credit code (GB 32100-2015) is well-formed, its check character included."""
    if len(code) != _LENGTH or not all(letter in _VALUES for letter in code):
        return False
    total = sum([_VALUES[letter] * power for letter, power in zip(code, _POWERS, strict=False)])
    return _ALPHABET[(31 - total % 31) % 31] == code[17]

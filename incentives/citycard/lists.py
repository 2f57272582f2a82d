"""Entitlement lists: one bit a card, among as many places that are nobody's and look like somebody's.

Pure. A place that is no card's has a bit that is drawn by a key, an operator and a perk, once and for all; how many of
them are 1 is drawn as well, between an eighth and seven eighths. So whoever has a list, but not the operator's table of
places, learns nothing from counting, and from two editions only which places changed. What the operator itself learns
of a place is what a gate would tell it: that a consenting holder has the perk.
"""

import hashlib
from collections.abc import Iterable, Sequence

from core import bitlist
from core.bitlist import BitList

_ZERO, _ONE = ord("0"), ord("1")
_FEWEST, _RANGE = 32, 192  # of 256: how likely a decoy is 1
_WIDTH = 4


def compose(
    key: bytes, operator: str, perk: str, *, size: int, owned: Iterable[int], granted: Iterable[int]
) -> BitList:
    """The list of `size` places: 1 for `granted`, 0 for what else is `owned`, decoys everywhere else.

    The same key, operator and perk give the same decoys, in a longer list too.
    """
    named = b"".join(len(part).to_bytes(2) + part for part in (key, operator.encode(), perk.encode()))
    drawn = hashlib.shake_256(named).digest(size + 1)
    likely = _FEWEST + drawn[0] % _RANGE
    digits = bytearray(drawn[1:].translate(bytes(_ONE if byte < likely else _ZERO for byte in range(256))))
    for place in owned:
        digits[place] = _ZERO
    for place in granted:
        digits[place] = _ONE
    return bitlist.flags(digits)


def places(changed: BitList) -> bytes:
    """The indexes of what changed, as they are kept: four bytes each."""
    return b"".join(index.to_bytes(_WIDTH) for index in changed.ones())


def together(size: int, editions: Sequence[bytes]) -> BitList:
    """What several editions changed: a place that changed twice is as it was."""
    digits = bytearray(b"0" * size)
    for kept in editions:
        for at in range(0, len(kept), _WIDTH):
            digits[int.from_bytes(kept[at : at + _WIDTH])] ^= 1  # '0' and '1' differ in the last bit
    return bitlist.flags(digits)

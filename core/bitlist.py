"""Lists of small numbers, a few bits each, as the Token Status List packs them (draft-ietf-oauth-status-list, 4).

Pure. An index's number lies in one byte, lower indexes in lower bits; the bytes are compressed by DEFLATE in the ZLIB
format and written in base64url without padding. Promises that what it reads is bounded: a list that would unpack to
more than its reader allows is refused while it unpacks. Promises nothing about who made a list: sign it.
"""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NoBase64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

Bits = Literal[1, 2, 4, 8]
_WIDTHS: dict[int, Bits] = {1: 1, 2: 2, 4: 4, 8: 8}
_BYTE = 8
_MOST_BYTES = 2**24  # 16 MiB: 128 million cards of one bit
_LEVEL = 9


class NoBitList(ValueError):
    """What was read is no list, or a larger one than its reader allows."""


class BitList(msgspec.Struct, frozen=True):
    """Numbers below 2^`bits`, packed; `packed` may be longer than what is meant by padding of up to a byte."""

    bits: Bits
    packed: bytes

    def __len__(self) -> int:
        """How many numbers fit."""
        return len(self.packed) * _BYTE // self.bits

    def __getitem__(self, index: int) -> int:
        """The number at an index. Raises IndexError outside the list: who is not in it has no status at all."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        byte, place = divmod(index * self.bits, _BYTE)
        return self.packed[byte] >> place & (1 << self.bits) - 1

    def changed(self, other: "BitList") -> "BitList":
        """A list that is not 0 exactly where two of one shape differ; applied to either it gives the other (XOR)."""
        if (self.bits, len(self.packed)) != (other.bits, len(other.packed)):
            message = "lists of two shapes"
            raise NoBitList(message)
        mixed = int.from_bytes(self.packed) ^ int.from_bytes(other.packed)
        return BitList(self.bits, mixed.to_bytes(len(self.packed)))

    def ones(self) -> Iterator[int]:
        """Every index whose number is not 0, ascending; quick where they are few."""
        per, mask = _BYTE // self.bits, (1 << self.bits) - 1
        for at, byte in enumerate(self.packed):
            if byte:
                yield from (at * per + place for place in range(per) if byte >> place * self.bits & mask)


def pack(numbers: Iterable[int], bits: Bits = 1) -> BitList:
    """The list of these numbers, in their order; padded with 0 to whole bytes. NoBitList for one that does not fit."""
    if bits not in _WIDTHS:
        message = "a number has 1, 2, 4 or 8 bits"
        raise NoBitList(message)
    held = list(numbers)
    if any(number >> bits for number in held):  # of a negative one every bit is set
        message = "a number does not fit"
        raise NoBitList(message)
    digits = "".join(format(number, f"0{bits}b") for number in reversed(held))
    return BitList(bits, int(digits or "0", 2).to_bytes(-(-len(digits) // _BYTE), "little"))


def flags(digits: bytes | bytearray) -> BitList:
    """The list of one bit an index, from ASCII `0` and `1`, the first index first: what is quick for a whole city."""
    return BitList(1, int(digits[::-1] or b"0", 2).to_bytes(-(-len(digits) // _BYTE), "little"))


def encode(held: BitList) -> dict[str, Any]:
    """The members `bits` and `lst` of a status list (section 4.2)."""
    packed = zlib.compress(held.packed, _LEVEL)
    return {"bits": held.bits, "lst": urlsafe_b64encode(packed).rstrip(b"=").decode()}


def decode(members: Mapping[str, Any], *, most: int = _MOST_BYTES) -> BitList:
    """Read what `encode` wrote, of at most `most` bytes unpacked. Raises NoBitList."""
    said, text = members.get("bits"), members.get("lst")
    bits = _WIDTHS.get(said) if type(said) is int else None
    if bits is None or not isinstance(text, str):
        message = "bits is 1, 2, 4 or 8, and lst a text"
        raise NoBitList(message)
    try:
        squeezed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        reader = zlib.decompressobj()
        packed = reader.decompress(squeezed, most + 1)
    except (NoBase64, ValueError, zlib.error) as error:
        message = "lst is no base64url of a ZLIB stream"
        raise NoBitList(message) from error
    if len(packed) > most or not reader.eof or reader.unused_data:
        message = f"lst is cut off, goes on, or unpacks to more than {most} bytes"
        raise NoBitList(message)
    return BitList(bits, packed)

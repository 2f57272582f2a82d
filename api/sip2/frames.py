"""SIP2 on the wire: one line of bytes, and what it says. Pure.

3M Standard Interchange Protocol, version 2.00: a two-digit code, fields of fixed length, fields of two letters each
ended by `|`, then perhaps a sequence number (`AY`) and a checksum (`AZ`), and a carriage return. What can be read is
written back byte for byte (but for small letters in a checksum), so a bridge that changes nothing changes nothing.
Bytes, not letters, are counted and summed: Chinese is UTF-8.
"""

import re
from collections.abc import Mapping

import msgspec

CR = b"\r"
LONGEST = 16_384
ENCODING = "utf-8"
# The length of the fixed part by code (SIP2 2.00, "Message formats").
FIXED: Mapping[str, int] = {
    "01": 19, "09": 37, "10": 22, "11": 38, "12": 22, "15": 19, "16": 20, "17": 18, "18": 24, "19": 18, "20": 19,
    "23": 21, "24": 35, "25": 18, "26": 35, "29": 38, "30": 22, "35": 18, "36": 19, "37": 25, "38": 19, "63": 31,
    "64": 59, "65": 18, "66": 27, "93": 2, "94": 1, "96": 0, "97": 0, "98": 34, "99": 8,
}  # fmt: skip
PATRON, SCREEN, LIMIT, FEE_LIMIT = "AA", "AF", "CB", "CC"
_TRAILER = re.compile(rb"(?:AY(?P<sequence>[0-9]))?(?:AZ(?P<sum>[0-9A-Fa-f]{4}))?\Z")
_NAME = re.compile(r"[A-Z][A-Z0-9]\Z")
_BARRED = re.compile(r"[|\r\n\0]")


class UnreadableError(ValueError):
    """Not a frame that we know; the bytes may still mean something to others."""


class TooLongError(ValueError):
    """More bytes than any frame has, and no end."""


class Piece(msgspec.Struct, frozen=True):
    """A line as it came, and how it ended: CR, CR LF, or a late LF alone."""

    body: bytes
    end: bytes


class Frame(msgspec.Struct, frozen=True):
    """A message: `fixed` is what follows the code, `fields` in their order; `checked`: it carries a checksum."""

    code: str
    fixed: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    sequence: str | None = None
    checked: bool = False

    def get(self, name: str) -> str | None:
        """The first field of that name, or nothing."""
        return next((value for each, value in self.fields if each == name), None)

    def with_field(self, name: str, value: str) -> "Frame":
        """The same with the first field of that name set, added at the end when there is none."""
        places = [place for place, (each, _) in enumerate(self.fields) if each == name] or [len(self.fields)]
        place = places[0]
        return msgspec.structs.replace(self, fields=(*self.fields[:place], (name, value), *self.fields[place + 1 :]))


class Cutter:
    """Cuts a stream into lines; keeps what is not ended yet, never more than LONGEST bytes."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._rest = b""

    def feed(self, data: bytes) -> list[Piece]:
        """The lines that these bytes end. Raises TooLongError."""
        rest, found = self._rest + data, list[Piece]()
        while rest.startswith(b"\n") or CR in rest[: LONGEST + 1]:
            piece, rest = _first(rest)
            found.append(piece)
        if len(rest) > LONGEST:
            raise TooLongError("A line is longer than any SIP2 message.")
        self._rest = rest
        return found


def _first(rest: bytes) -> tuple[Piece, bytes]:
    """The first line and what follows; an LF that came after its CR is a piece of its own."""
    if rest.startswith(b"\n"):
        return Piece(b"", b"\n"), rest[1:]
    body, _, after = rest.partition(CR)
    return (Piece(body, b"\r\n"), after[1:]) if after.startswith(b"\n") else (Piece(body, CR), after)


def checksum(data: bytes) -> bytes:
    """Four hexadecimal digits that make the sum of all bytes, up to and with `AZ`, nought (SIP2 2.00, appendix)."""
    return f"{-sum(data) & 0xFFFF:04X}".encode()


def read(line: bytes, encoding: str = ENCODING) -> Frame:
    """What a line without its end says. Raises UnreadableError, also for a checksum that does not hold."""
    if len(line) > LONGEST:
        raise UnreadableError("longer than any message")
    code = line[:2].decode("ascii", "replace")
    if code not in FIXED:
        raise UnreadableError("no code of SIP2 2.00")
    body, sequence, checked = _without_trailer(line)
    fixed, rest = body[2 : 2 + FIXED[code]], body[2 + FIXED[code] :]
    if len(fixed) < FIXED[code] or not fixed.isascii():
        raise UnreadableError("the fixed part is cut short")
    try:
        text = rest.decode(encoding)  # before it is cut: in GB 18030 a letter may end with the byte of `|`
    except UnicodeDecodeError as error:
        raise UnreadableError("bytes of another encoding") from error
    if text and not text.endswith("|"):
        raise UnreadableError("the last field has no end")
    fields = tuple(_field(one) for one in text.split("|")[:-1])
    return Frame(code, _clean(fixed.decode()), fields, sequence, checked)


def _without_trailer(line: bytes) -> tuple[bytes, str | None, bool]:
    """The line before its trailer, the sequence number, and whether a checksum was there and held."""
    trailer = _TRAILER.search(line, max(2, len(line) - 9))
    if trailer is None or not trailer.group():
        return line, None, False
    if (said := trailer["sum"]) is not None and checksum(line[: trailer.start("sum")]) != said.upper():
        raise UnreadableError("the checksum does not hold")
    sequence = trailer["sequence"]
    return line[: trailer.start()], None if sequence is None else sequence.decode(), said is not None


def _field(text: str) -> tuple[str, str]:
    name, value = text[:2], text[2:]
    if not _NAME.match(name):
        raise UnreadableError("a field without a name")
    return name, _clean(value)


def _clean(text: str) -> str:
    if _BARRED.search(text):
        raise UnreadableError("a sign that ends fields or lines stands inside one")
    return text


def write(frame: Frame, encoding: str = ENCODING) -> bytes:
    """The line of a frame, without its end. Raises UnreadableError for what no reader could read."""
    if len(frame.fixed) != FIXED.get(frame.code, -1) or not frame.fixed.isascii():
        raise UnreadableError("the fixed part has another length")
    named = "".join(f"{name}{_clean(value)}|" for name, value in frame.fields if _field(name + value))
    try:
        body = frame.code.encode() + _clean(frame.fixed).encode() + named.encode(encoding)
    except UnicodeEncodeError as error:
        raise UnreadableError("letters that this encoding has not") from error
    if frame.sequence is not None:
        body += b"AY" + frame.sequence.encode()
    if frame.checked:
        body += b"AZ"
        body += checksum(body)
    return body

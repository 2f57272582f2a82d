"""One terminal's conversation: which frames are looked into, and whose card is on the table.

Everything is passed on as it came but two things: a credit code that stands where a card should stand is put in the
place of the card that was read before it (the library's system knows no codes), and back in the answers; and answers
about a reader (24, 64) may be enriched by others. A card is on the table once the library's system has said that it is
valid, for two minutes, until the session ends (35) or another card is read. One connection is one terminal.
"""

import time
from collections.abc import Callable

import msgspec

from api.sip2 import enriching, frames, words
from api.sip2.bridge import Asked
from api.sip2.city import is_code
from api.sip2.enriching import Gift
from api.sip2.frames import PATRON, Frame, UnreadableError

_ON_THE_TABLE = 120.0
_QUESTIONS = {"23": "24", "63": "64"}


class Heard(msgspec.Struct, frozen=True):
    """What the library's system said: the line for the terminal, its frame and the question if it may be enriched."""

    line: bytes
    frame: Frame | None = None
    asked: Asked | None = None
    back_from: str | None = None


class Talk:
    """A conversation."""

    def __init__(self, encoding: str = frames.ENCODING, now: Callable[[], float] = time.monotonic) -> None:
        """`now` in seconds."""
        self._encoding, self._now = encoding, now
        self._card: str | None = None
        self._seen = 0.0
        self._scanned: str | None = None  # the code that stands for the card in the message under way
        self._asked: Asked | None = None
        self._card_first = False

    def up(self, line: bytes) -> bytes:
        """A line of the terminal, as the library's system shall have it."""
        try:
            frame = frames.read(line, self._encoding)
        except UnreadableError:
            return line
        if frame.code in {"96", "97"}:
            return line  # about the message before
        self._scanned, self._asked, self._card_first = None, None, False
        return self._question(frame, line)

    def _question(self, frame: Frame, line: bytes) -> bytes:
        said = frame.get(PATRON)
        if is_code(said):
            if (card := self._on_the_table()) is None:
                self._card_first = True
                return line
            self._scanned, frame = said, frame.with_field(PATRON, card)
            line = frames.write(frame, self._encoding)
        elif frame.code == "35" or (said and said != self._card and frame.code in _QUESTIONS):
            self._card = None
        if frame.code in _QUESTIONS and (card := frame.get(PATRON)):
            self._asked = Asked(card, self._scanned, frame)
        return line

    def _on_the_table(self) -> str | None:
        return self._card if self._card and self._now() < self._seen + _ON_THE_TABLE else None

    def down(self, line: bytes) -> Heard:
        """A line of the library's system."""
        try:
            frame = frames.read(line, self._encoding)
        except UnreadableError:
            return Heard(line)
        if frame.code == "10":
            return Heard(line, back_from=frame.get(PATRON))
        asked, expected = self._asked, self._asked and _QUESTIONS[self._asked.frame.code]
        if self._card_first and frame.code in _QUESTIONS.values():
            return self._told(enriching.enriched(frame, Gift(words=(words.CARD_FIRST,))), line)
        if asked is None or frame.code != expected or not enriching.is_reader(asked.frame, frame):
            return self._told(frame, line) if self._scanned else Heard(line)
        self._card, self._seen = asked.card, self._now()
        told = self._told(frame, line) if self._scanned else Heard(line)
        return Heard(told.line, frame, asked)

    def _told(self, frame: Frame, line: bytes) -> Heard:
        return Heard(self.written(frame, self._scanned, otherwise=line))

    def written(self, frame: Frame, scanned: str | None, *, otherwise: bytes) -> bytes:
        """A frame as the terminal's line, under the code that it scanned; `otherwise` where letters are missing."""
        if scanned and frame.get(PATRON) is not None:
            frame = frame.with_field(PATRON, scanned)
        try:
            return frames.write(frame, self._encoding)
        except UnreadableError:
            return otherwise

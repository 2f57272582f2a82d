"""Our own line to the library's system: we ask as a terminal does, one question at a time.

Error detection as in SIP2 2.00: every message carries a number and a checksum; an answer whose checksum does not hold
is asked for again (97), a 96 makes us send ours again, three times at most; then the line is dropped.
Used for how many items somebody has on loan, never for what they are: no list is asked for.
"""

import asyncio
from itertools import cycle

import msgspec

from api.sip2 import frames
from api.sip2.frames import CR, Cutter, Frame, UnreadableError
from core import clock

_TRIES = 3
_PATIENCE = 5.0
_CHUNK = 4096


class LineError(Exception):
    """The library's system gave no answer that can be read."""


def moment() -> str:
    """Now as SIP2 writes it: YYYYMMDD, four blanks for local time, HHMMSS."""
    return clock.wall().astimezone(clock.CITY_ZONE).strftime("%Y%m%d    %H%M%S")


class Line:
    """A connection that is made when it is needed and made anew when it broke."""

    def __init__(self, host: str, port: int, *, institution: str = "", encoding: str = frames.ENCODING,
                 login: tuple[str, str] | None = None) -> None:  # fmt: skip
        """`login`: user and password of the terminal that we are."""
        self._address, self._institution, self._encoding, self._login = (host, port), institution, encoding, login
        self._turn, self._numbers = asyncio.Lock(), cycle("0123456789")
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._cutter = Cutter()

    async def patron(self, card: str) -> Frame:
        """Patron Information (64) of a card, without any list. Raises LineError."""
        fields = (("AO", self._institution), ("AA", card), ("AC", ""), ("AD", ""))
        return await self.ask(Frame("63", f"000{moment()}{'':10}", fields))

    async def ask(self, question: Frame) -> Frame:
        """The answer to a question of ours. Raises LineError."""
        async with self._turn:
            try:
                async with asyncio.timeout(_PATIENCE):
                    if self._ends is None:
                        await self._open()
                    return await self._answer(question)
            except (OSError, TimeoutError, ValueError) as error:
                await self.close()
                message = f"No answer from the library's system ({type(error).__name__})."
                raise LineError(message) from error
            except BaseException:
                await self.close()  # an answer that is still on its way is not the answer to the next question
                raise

    async def close(self) -> None:
        """Hang up."""
        if self._ends is not None:
            self._ends[1].close()
            self._ends, self._cutter = None, Cutter()

    async def _open(self) -> None:
        self._ends = await asyncio.open_connection(*self._address)
        if self._login is not None:
            user, password = self._login
            told = await self._answer(Frame("93", "00", (("CN", user), ("CO", password))))
            if told.fixed != "1":
                raise LineError("The library's system does not let us in.")

    async def _answer(self, question: Frame) -> Frame:
        """Send with a fresh number, and hear. Raises UnreadableError, OSError."""
        numbered = msgspec.structs.replace(question, sequence=next(self._numbers), checked=True)
        line = frames.write(numbered, self._encoding)
        for _ in range(_TRIES):
            await self._send(line)
            while (told := await self._hear()) is not None and told.sequence not in {numbered.sequence, None}:
                continue  # an answer to an older question
            if told is None:
                line = frames.write(Frame("97", checked=True))
            elif told.code == "96":
                line = frames.write(numbered, self._encoding)
            else:
                return told
        raise UnreadableError("asked three times")

    async def _send(self, line: bytes) -> None:
        assert self._ends is not None  # noqa: S101  (opened by `ask`)
        self._ends[1].write(line + CR)
        await self._ends[1].drain()

    async def _hear(self) -> Frame | None:
        """The next frame; nothing for one whose bytes were damaged. Raises OSError when the other side hung up."""
        assert self._ends is not None  # noqa: S101  (opened by `ask`)
        pieces: list[frames.Piece] = []
        while not pieces:
            if not (data := await self._ends[0].read(_CHUNK)):
                raise ConnectionResetError("hung up")
            pieces = [one for one in self._cutter.feed(data) if one.body]
        try:
            return frames.read(pieces[-1].body, self._encoding)
        except UnreadableError:
            return None

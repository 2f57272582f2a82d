"""A library's own system: its SIP2 port as terminals know it, and Koha's REST API as its published form says.

Both speak of the same readers. The SIP2 side knows 93, 99, 23, 63, 35 and 09, numbers and checksums, 96 and 97; it can
be told to damage, delay or replace an answer. The REST side is `/api/v1/oauth/token` and `/api/v1/patrons`: unknown and
read-only members are refused, a PUT without a required one too.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec

from api.sip2 import frames
from api.sip2.frames import Cutter, Frame, UnreadableError

MOMENT = "20261122    153000"
LIMITS = {"PT": 10, "G0": 10, "G1": 20, "G2": 20}
SECRET = "a koha secret"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
READ_ONLY = {"patron_id", "restricted", "anonymized"}
MEMBERS = READ_ONLY | {"cardnumber", "surname", "library_id", "category_id", "email", "updated_on", "city"}


class Reader(msgspec.Struct):
    """One reader of the library."""

    number: int
    card: str
    category: str = "PT"
    out: int = 0
    pin: str = ""
    valid: bool = True


class System:
    """The library's system, and how it behaves next."""

    def __init__(self, *cards: str) -> None:
        """Readers with these cards."""
        self.readers = {card: Reader(number, card) for number, card in enumerate(cards, 1)}
        self.heard: list[bytes] = []
        self.damaged = 0
        self.delay = 0.0
        self.end = b"\r"
        self.raw: dict[str, bytes] = {}
        self.logins = [("bridge", "a terminal's password")]
        self.koha_status: int | None = None
        self.puts: list[dict[str, Any]] = []
        self.port = self.koha_port = 0
        self.talks: set[asyncio.Task[None]] = set()

    @property
    def koha(self) -> str:
        """Koha's address."""
        return f"http://127.0.0.1:{self.koha_port}"

    def answer(self, line: bytes) -> bytes | None:
        """What the system says to a line; nothing to what it does not know."""
        self.heard.append(line)
        if line[:2].decode("ascii", "replace") in self.raw:
            return self.raw[line[:2].decode()]
        try:
            asked = frames.read(line)
        except UnreadableError:
            return frames.write(Frame("96", checked=True)) if b"AZ" in line else None
        made = self._made(asked)
        return made and frames.write(msgspec.structs.replace(made, sequence=asked.sequence, checked=asked.checked))

    def _made(self, asked: Frame) -> Frame | None:
        card = asked.get("AA") or ""
        named = (("AO", "lib"), ("AA", card))
        if asked.code == "93":
            return Frame("94", str(int((asked.get("CN"), asked.get("CO")) in self.logins)))
        if asked.code == "99":
            return Frame("98", f"YYYYYN030003{MOMENT}2.00", (("AO", "lib"), ("BX", "YYYYYYYYYYYYYYYY")))
        if asked.code in {"23", "63"}:
            return self._reader(asked, card)
        if asked.code == "35":
            return Frame("36", f"Y{MOMENT}", named)
        if asked.code == "09":
            return self._back(asked)
        return None

    def _reader(self, asked: Frame, card: str) -> Frame:
        reader = self.readers.get(card)
        known = reader is not None and reader.valid
        right = reader is not None and asked.get("AD") in {reader.pin, None}
        fields = [
            ("AO", "lib"),
            ("AA", card),
            ("AE", "张*明" if known else ""),
            ("BL", "NY"[known]),
            ("CQ", "NY"[right]),
        ]
        out = reader.out if reader and known else 0
        limit = LIMITS[reader.category] if reader and known else 0
        status = "".join("Y" if place == 5 and known and out >= limit else " " for place in range(14))
        if asked.code == "23":
            return Frame("24", f"{status}000{MOMENT}", tuple(fields))
        fields += [("CB", f"{limit:04d}"), ("BH", "CNY"), ("CC", "50.00")] if known else []
        return Frame("64", f"{status}000{MOMENT}00000000{out:04d}000000000000", (*fields, ("AF", "欢迎使用自助机")))

    def _back(self, asked: Frame) -> Frame:
        """An item is brought back; its number begins with the reader's card."""
        reader = self.readers[(asked.get("AB") or "").partition("-")[0]]
        reader.out -= 1
        return Frame("10", f"1YNN{MOMENT}", (("AO", "lib"), ("AB", asked.get("AB") or ""), ("AA", reader.card)))

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One SIP2 connection."""
        cutter, last = Cutter(), b""
        while data := await reader.read(4096):
            for piece in cutter.feed(data):
                if again := piece.body[:2] == b"97":
                    self.heard.append(piece.body)
                said = last if again else self.answer(piece.body) if piece.body else None
                if said is None:
                    continue
                last = said
                await asyncio.sleep(self.delay)
                if self.damaged:
                    self.damaged -= 1
                    said = said[:5] + b"~" + said[6:]
                writer.write(said + self.end)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection to Koha."""
        while head := await reader.readline():
            while not head.endswith(b"\r\n\r\n"):
                head += await reader.readline()
            first, *rest = head.decode().split("\r\n")
            method, target, _ = first.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            status, said = self.rest(method, target, headers, body)
            text = json.dumps(said).encode()
            line = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n"
            writer.write(line.encode() + text)
            await writer.drain()

    def rest(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        """Koha's answer."""
        path = urlsplit(target).path
        if path == "/api/v1/oauth/token":
            form = dict(parse_qsl(body.decode()))
            right = form == {"grant_type": "client_credentials", "client_id": "bridge", "client_secret": SECRET}
            return (200, {"access_token": "k", "expires_in": 3600, "token_type": "Bearer"}) if right else (403, {})
        if self.koha_status is not None:
            return self.koha_status, {"error": "Something went wrong"}
        if headers.get("authorization") != "Bearer k":
            return 401, {"error": "Authentication failure."}
        if method == "GET":
            card = parse_qs(urlsplit(target).query)["cardnumber"][0]
            return 200, [self.patron(one) for one in self.readers.values() if one.card.lower() == card.lower()]
        return self._put(int(path.rpartition("/")[2]), json.loads(body))

    def patron(self, reader: Reader) -> dict[str, Any]:
        """A reader as Koha shows one."""
        return {
            "patron_id": reader.number, "cardnumber": reader.card, "surname": "张", "library_id": "MAIN", "city": None,
            "category_id": reader.category, "email": "kept@example.city", "updated_on": "2026-11-22T15:30:00+08:00",
            "restricted": False, "anonymized": False,
        }  # fmt: skip

    def _put(self, number: int, sent: dict[str, Any]) -> tuple[int, Any]:
        self.puts.append(sent)
        if set(sent) & READ_ONLY or set(sent) - MEMBERS or not {"surname", "library_id", "category_id"} <= set(sent):
            return 400, {"errors": [{"message": "Properties not allowed or missing"}]}
        if sent["category_id"] not in LIMITS:
            return 400, {"error": "Given category_id does not exist"}
        (reader,) = [one for one in self.readers.values() if one.number == number]
        reader.category = sent["category_id"]
        return 200, self.patron(reader)


@asynccontextmanager
async def running(*cards: str) -> AsyncIterator[System]:
    """A library's system on two free ports."""
    system = System(*cards)

    async def until_the_end(talk: Talk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        system.talks.add(task)
        with contextlib.suppress(ConnectionError):
            await talk(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    speaking = await asyncio.start_server(partial(until_the_end, system.speak), "127.0.0.1", 0)
    serving = await asyncio.start_server(partial(until_the_end, system.serve), "127.0.0.1", 0)
    system.port = speaking.sockets[0].getsockname()[1]
    system.koha_port = serving.sockets[0].getsockname()[1]
    try:
        yield system
    finally:
        speaking.close()
        serving.close()
        if system.talks:
            _, left = await asyncio.wait(system.talks, timeout=2)
            assert not left, "somebody has not hung up"


class Terminal:
    """A self-check machine: sends lines, hears lines."""

    def __init__(self, port: int) -> None:
        """It will connect to this port."""
        self._port, self._cutter = port, Cutter()
        self._number = 0

    async def __aenter__(self) -> Self:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def say(self, line: bytes, end: bytes = b"\r") -> bytes:
        """Send a line; the next one that comes, empty when the other side hung up."""
        self._writer.write(line + end)
        return await self.hear()

    async def hear(self) -> bytes:
        """The next line with its end."""
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionResetError):
                return await self._next()
        return b""

    async def _next(self) -> bytes:
        while data := await self._reader.read(65536):
            if pieces := self._cutter.feed(data):
                return pieces[0].body + pieces[0].end
        return b""

    def question(self, card: str, code: str = "63", **more: str) -> bytes:
        """A question about a reader, numbered and with a checksum."""
        self._number = (self._number + 1) % 10
        fixed = "000" + MOMENT + (" " * 10 if code == "63" else "")
        fields = (("AO", "lib"), ("AA", card), ("AC", ""), ("AD", more.get("pin", "")))
        return frames.write(Frame(code, fixed, fields, str(self._number), checked=True))

    async def ask(self, card: str, code: str = "63", **more: str) -> Frame:
        """The answer to a question about a reader."""
        return frames.read((await self.say(self.question(card, code, **more))).rstrip(b"\r\n"))

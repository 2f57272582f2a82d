"""Between terminals and the library's system: every line is passed on, answers about a reader enriched on the way.

A terminal connects here instead of to the system and notices no difference while the bridge has nothing to add. One
connection there for each here; when either side hangs up, or sends a line without end, both are closed. No encryption:
SIP2 has none; it belongs on the library's own wire or into a tunnel, as before.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from api.sip2.bridge import Bridge
from api.sip2.frames import Cutter, TooLongError
from api.sip2.places import Places
from api.sip2.talk import Talk

_LOG = logging.getLogger("osmanthus.sip2")
_CHUNK = 4096
_CONNECT = 5.0


class Proxy:
    """The conversations of one library."""

    def __init__(self, places: Places, bridge: Bridge) -> None:
        """`places` says where the system is and how many terminals there may be."""
        self._places, self._bridge = places, bridge
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self._looking: set[asyncio.Task[None]] = set()

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One terminal, until somebody hangs up."""
        if len(self._open) >= self._places.terminals.most:
            writer.close()
            return
        self._open[writer] = asyncio.current_task()
        try:
            await self._between(reader, writer)
        except (OSError, TimeoutError, TooLongError) as fault:
            _LOG.warning("a conversation ended: %s", type(fault).__name__)
        finally:
            del self._open[writer]
            writer.close()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_CONNECT):
            there = await asyncio.open_connection(self._places.system.host, self._places.system.port)
        talk = Talk(self._places.system.encoding)
        pumps = [
            asyncio.create_task(self._up(talk, reader, there[1])),
            asyncio.create_task(self._down(talk, there[0], writer)),
        ]
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            for one in pumps:
                one.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            there[1].close()

    async def _up(self, talk: Talk, reader: asyncio.StreamReader, there: asyncio.StreamWriter) -> None:
        cutter = Cutter()
        while data := await reader.read(_CHUNK):
            for piece in cutter.feed(data):
                there.write((talk.up(piece.body) if piece.body else b"") + piece.end)
            await there.drain()

    async def _down(self, talk: Talk, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cutter = Cutter()
        while data := await there.read(_CHUNK):
            for piece in cutter.feed(data):
                writer.write((await self._for_terminal(talk, piece.body) if piece.body else b"") + piece.end)
            await writer.drain()

    async def _for_terminal(self, talk: Talk, line: bytes) -> bytes:
        heard = talk.down(line)
        if heard.back_from is not None:
            self._look(heard.back_from)
        if heard.asked is None or heard.frame is None:
            return heard.line
        told = await self._bridge.within(heard.asked, heard.frame)
        return heard.line if told is heard.frame else talk.written(told, heard.asked.code, otherwise=heard.line)

    def _look(self, card: str) -> None:
        """See in the background whether a return lets somebody's class be lowered."""
        task = asyncio.create_task(self._bridge.returned(card))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def close(self) -> None:
        """Hang up, and let what was begun come to its end."""
        talks = [task for task in self._open.values() if task is not None]
        for writer in list(self._open):
            writer.close()
        await asyncio.gather(*talks, *self._looking, return_exceptions=True)
        await self._bridge.close()


@asynccontextmanager
async def listening(places: Places, bridge: Bridge) -> AsyncGenerator[int]:
    """Terminals are served for the length of a block; the port."""
    proxy = Proxy(places, bridge)
    server = await asyncio.start_server(proxy.converse, places.terminals.host, places.terminals.port)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await proxy.close()

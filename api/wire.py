"""An answer's head and body in one write: two cost a system call more, and wake the client up for half an answer.

uvicorn writes the head when it is told, and uvloop sends it at once. Here a first piece waits for the next one, at most
until the event loop's next turn, so what is streamed goes out as before.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Together:
    """A transport that holds a piece back until the next one, or the next turn of the loop."""

    __slots__ = ("_held", "_loop", "_soon", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held = b""
        self._soon: asyncio.Handle | None = None

    def __getattr__(self, name: str) -> Any:
        """Everything else is the transport's own."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """As a transport's."""
        if self._soon is None:
            self._held, self._soon = data, self._loop.call_soon(self._flush)
        else:
            self._soon.cancel()
            held, self._held, self._soon = self._held, b"", None
            self._transport.write(held + data)

    def close(self) -> None:
        """As a transport's: what was written goes out first."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._soon is not None:
            self._soon.cancel()
            held, self._held, self._soon = self._held, b"", None
            self._transport.write(held)


class Protocol(HttpToolsProtocol):
    """uvicorn's own, over such a transport; for its option `http`."""

    def connection_made(self, transport: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  (uvicorn's)
        """As uvicorn does."""
        super().connection_made(Together(transport, self.loop))  # pyright: ignore[reportArgumentType]  (all it calls is there)

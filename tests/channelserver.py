"""The stand-ins of WeChat Pay score and of Alipay's gateway as HTTP servers on loopback."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.alipayserver import Gateway
from tests.payscoreserver import PayScore


class Line:
    """A line that hangs at the first call that changes something: before the server hears it, or after it is `done`."""

    def __init__(self, *, done: bool) -> None:
        """`hung` tells when it hangs, `cut` ends it without an answer."""
        self.done, self.hung, self.cut = done, asyncio.Event(), asyncio.Event()

    async def hangs(self, server: PayScore | Gateway, method: str, body: bytes) -> bool:
        """Whether this call is the one, and is over."""
        looks = method == "GET" if isinstance(server, PayScore) else b".query" in body
        if looks:
            return False
        self.hung.set()
        await self.cut.wait()
        return True


@asynccontextmanager
async def listening(server: PayScore | Gateway, line: Line | None = None) -> AsyncGenerator[str]:
    """Its origin, for the length of a block; a fault `lost` breaks the line after the work was done."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest if line)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            if line is not None and not line.done and await line.hangs(server, method, body):
                return
            if isinstance(server, PayScore):
                answer = server.answer(method, target, headers, body)
            else:
                found = server.answer(urlsplit(target).query, body)
                answer = None if found is None else (found[0], {"content-type": "text/html;charset=utf-8"}, found[1])
            if answer is None or (line is not None and line.done and await line.hangs(server, method, body)):
                return
            status, told, said = answer
            lines = "".join(f"{name}: {value}\r\n" for name, value in {**told, "content-length": len(said)}.items())
            writer.write(f"HTTP/1.1 {status} said\r\n{lines}connection: close\r\n\r\n".encode() + said)
            await writer.drain()
        finally:
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"

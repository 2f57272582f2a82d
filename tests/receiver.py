"""A merchant's endpoint on loopback: keeps what came, answers as it is told."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Got(msgspec.Struct, frozen=True):
    """One request."""

    headers: dict[str, str]
    body: bytes


class Receiver:
    """The endpoint."""

    def __init__(self) -> None:
        """Answers 204 when `answers` are used up."""
        self.got: list[Got] = []
        self.answers: list[int] = []
        self.retry_after = ""
        self.says = b""
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            lines = (line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            headers = {name.lower(): value for name, value in lines}
            self.got.append(Got(headers, await reader.readexactly(int(headers.get("content-length", "0")))))
            status = self.answers.pop(0) if self.answers else 204
            more = f"Retry-After: {self.retry_after}\r\n" if self.retry_after else ""
            more += "Location: http://127.0.0.1:9/\r\n" if status == 302 else ""
            told = f"HTTP/1.1 {status} X\r\n{more}Content-Length: {len(self.says)}\r\nConnection: close\r\n\r\n"
            writer.write(told.encode() + self.says)
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def opened() -> AsyncGenerator[Receiver]:
    """A listening endpoint."""
    made = Receiver()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    async with server:
        made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        yield made


def verified(public: str, got: Got) -> bool:
    """Whether some `v1a` signature is by this `whpk_` key."""
    key = Ed25519PublicKey.from_public_bytes(b64decode(public.removeprefix("whpk_")))
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    for one in got.headers["webhook-signature"].split():
        kind, _, value = one.partition(",")
        if kind == "v1a":
            try:
                key.verify(b64decode(value), signed)
            except InvalidSignature:
                continue
            return True
    return False

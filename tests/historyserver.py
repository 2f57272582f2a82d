"""A bureau that answers what it is asked, over real HTTP: it checks the signature as any foreign system would."""

import asyncio
import base64
import hashlib
import json
import socket
import warnings
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet

Asked = list[dict[str, Any]]
Reply = Callable[[dict[str, Any]], tuple[int, bytes] | tuple[int, bytes, dict[str, str]]]


class Bureau:
    """What it was asked, and what it says."""

    def __init__(self, address: str, issuer: str) -> None:
        """It trusts the keys that `issuer` publishes."""
        self.address, self.issuer = address, issuer
        self.asked: Asked = []
        self.reply: Reply = lambda _question: (204, b"")
        self.slow = 0.0
        self._keys: KeySet | None = None
        self._seen: set[str] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One ASGI request."""
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        await asyncio.sleep(self.slow)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, said, *rest = (401, b"") if not await self._proved(headers, body) else self.reply(self._note(body))
        told = [(name.encode(), value.encode()) for name, value in (rest[0] if rest else {}).items()]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": said})

    def _note(self, body: bytes) -> dict[str, Any]:
        self.asked.append(json.loads(body))
        return self.asked[-1]

    async def _proved(self, headers: dict[str, str], body: bytes) -> bool:
        if self._keys is None:
            async with httpx2.AsyncClient() as http:
                self._keys = KeySet.import_key_set((await http.get(f"{self.issuer}/.well-known/jwks.json")).json())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library would rather read RFC 9864's name of the algorithm
            token = jwt.decode(headers["authorization"].removeprefix("Bearer "), self._keys, algorithms=["EdDSA"])
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        said = token.claims
        fresh = said["jti"] not in self._seen
        self._seen.add(said["jti"])
        return (
            (said["iss"], said["aud"], said["digest"]) == (self.issuer, self.address, digest)
            and headers["content-digest"] == digest
            and said["exp"] - said["iat"] <= 60
            and token.header["typ"] == "osmanthus-question+jwt"
            and fresh
        )


@asynccontextmanager
async def answering(issuer: str) -> AsyncGenerator[Bureau]:
    """The bureau on a free port for the length of a block."""
    listener = socket.create_server(("127.0.0.1", 0))
    bureau = Bureau(f"http://127.0.0.1:{listener.getsockname()[1]}/history", issuer)
    running = uvicorn.Server(uvicorn.Config(bureau, log_config=None, lifespan="off", access_log=False))
    running.install_signal_handlers = lambda: None  # type: ignore[method-assign]  (the test ends it)
    task = asyncio.create_task(running.serve(sockets=[listener]))
    while not running.started:
        await asyncio.sleep(0.01)
    try:
        yield bureau
    finally:
        running.should_exit = True
        await task

"""A proxy that signs: a fuzzer that knows nothing of DPoP sends plain requests, and we forward them as who may."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import uvicorn

from tests.api.cast import Cast
from tests.api.conftest import _Uvicorn
from tests.api.contract import AUDIENCES, fault

_OURS = {b"host", b"content-length", b"connection", b"authorization", b"dpop", b"transfer-encoding", b"accept-encoding"}
_NOT_BACK = {"content-length", "content-encoding", "transfer-encoding", "connection", "date", "server"}


class SigningProxy:
    """An ASGI application; `wrong` collects what no server of ours may answer, `count` what it answered at all."""

    def __init__(self, cast: Cast) -> None:
        """Requests under /v1 go out as whoever of the cast may call there."""
        self.cast = cast
        self.wrong: list[str] = []
        self.count: dict[int, int] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Forward one request."""
        if scope["type"] != "http":
            return
        answer = await self._forwarded(scope, await _body(receive))
        self._judge(scope["path"], answer)
        headers = [(k.encode(), v.encode()) for k, v in answer.headers.multi_items() if k not in _NOT_BACK]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})

    async def _forwarded(self, scope: Any, body: bytes) -> httpx2.Response:
        audience = AUDIENCES.get("/".join(scope["path"].split("/")[:3]), "outside")
        query = scope["query_string"]
        raw = scope["raw_path"] + (b"?" + query if query else b"")
        url = httpx2.URL(self.cast.server.base_url).copy_with(raw_path=raw)
        headers = [(name, value) for name, value in scope["headers"] if name not in _OURS]
        return await self.cast.of(audience).request(scope["method"], url, content=body, headers=headers)

    def _judge(self, path: str, answer: httpx2.Response) -> None:
        self.count[answer.status_code] = self.count.get(answer.status_code, 0) + 1
        ours = path.startswith("/v1/") and answer.status_code >= 400
        if answer.status_code >= 500 or (ours and fault(answer)):
            self.wrong.append(str(fault(answer)))


async def _body(receive: Any) -> bytes:
    """The whole body of a request."""
    whole, more = b"", True
    while more:
        message = await receive()
        whole += message.get("body", b"")
        more = message.get("more_body", False)
    return whole


@asynccontextmanager
async def signing(cast: Cast) -> AsyncGenerator[tuple[str, SigningProxy]]:
    """The proxy on a free port for the length of a block: its address, and itself."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each answer waits 40 ms for an ACK
    proxy = SigningProxy(cast)
    running = _Uvicorn(uvicorn.Config(proxy, log_config=None, lifespan="off", access_log=False))
    task = asyncio.create_task(running.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", proxy
    finally:
        running.should_exit = True
        await task

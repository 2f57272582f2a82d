"""What is asked most, answered by the framework's handlers without the framework's steps around them.

A check and the opening of an order are nearly every request of a city, and routing, reading and sending one by the
framework takes a fifth of its time. A *plain* request, which says JSON and a short length and holds what the schema
wants, has its guards, its handler and the hooks of the application called here, in the framework's order, with the same
translator of errors. Any other goes by the framework, which finds out what is wrong with it. Promises: the same bytes
either way.
"""

from collections.abc import Iterable, Mapping
from typing import Any, cast

import msgspec
from litestar import Litestar, Request
from litestar.types import Message, Receive, Scope, Send

from api import problems
from api.deps import HttpRequest
from api.partner.eligibility import Asked, check
from api.partner.orderforms import Open
from api.partner.orders import open_order


class _Door:
    """A route that is answered here: POST, of a body and an Idempotency-Key."""

    __slots__ = ("guards", "handler", "path", "read")

    def __init__(self, handler: Any, body: type[msgspec.Struct]) -> None:
        (self.path,) = handler.paths
        self.handler, self.guards = handler, tuple(handler.guards)
        self.read = msgspec.json.Decoder(body).decode


_DOORS = {door.path: door for door in (_Door(check, Asked), _Door(open_order, Open))}
_LONGEST = 4096
_TWICE = {b"content-type", b"content-length", b"host", b"idempotency-key"}  # headers that come once
_ELSE = {b"transfer-encoding", b"content-encoding", b"expect"}  # ... and that do not come
_HOST = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:[]")


class Express:
    """ASGI middleware in front of the framework's application."""

    def __init__(self, app: Litestar) -> None:
        """`app` holds the routes, and answers everything that is not plain."""
        self.app: Any = app  # its hooks are typed by half

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is plain; pass everything else on."""
        seen = cast("dict[str, Any]", scope)
        door = _DOORS.get(seen["path"]) if seen["type"] == "http" else None
        if door is None or (headers := _plain(seen)) is None:
            await self.app(scope, receive, send)
            return
        came = await receive()
        asked = _asked(door, cast("dict[str, Any]", came), int(headers[b"content-length"]))
        if asked is None:
            await self.app(scope, _again(came, receive), send)
            return
        seen["app"] = seen["litestar_app"] = self.app
        seen["path_template"] = door.path
        await self._answer(door, Request(scope), asked, headers.get(b"idempotency-key"), send)

    async def _answer(self, door: _Door, request: HttpRequest, asked: Any, key: bytes | None, send: Send) -> None:
        scope = cast("Scope", request.scope)

        async def hooked(message: Message) -> None:
            for hook in self.app.before_send:
                await hook(message, scope)
            await send(message)

        try:
            for guard in door.guards:
                await guard(request, door.handler)
            if self.app.before_request is not None:
                await self.app.before_request(request)
            answer = await door.handler.fn(asked, request, None if key is None else key.decode("latin-1"))
        except Exception as error:  # noqa: BLE001  (as the framework does, for the same translator)
            problem: Any = problems.answer(request, error)
            answer = problem.to_asgi_response(app=None, request=request)
        await answer(scope, request.receive, hooked)


def _plain(scope: Mapping[str, Any]) -> dict[bytes, bytes] | None:
    """The headers of a request that has nothing unusual about it."""
    if scope["method"] != "POST" or scope["query_string"] or scope.get("root_path"):
        return None
    headers = dict[bytes, bytes](scope["headers"])
    if len(headers) != len(scope["headers"]) and _repeated(scope["headers"]):
        return None
    length = headers.get(b"content-length", b"")
    usual = headers.get(b"content-type") == b"application/json" and _HOST.issuperset(headers.get(b"host", b" "))
    short = length.isdigit() and len(length) <= 4 and int(length) <= _LONGEST  # noqa: PLR2004  (digits)
    return headers if usual and short and _ELSE.isdisjoint(headers) else None


def _repeated(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    once = [name for name, _ in headers if name in _TWICE]
    return len(once) != len(set(once))


def _asked(door: _Door, came: Mapping[str, Any], length: int) -> msgspec.Struct | None:
    """What a body asks that came whole and fits the schema."""
    body: bytes = came.get("body", b"")
    if len(body) != length:  # of several pieces, or of a client that went away
        return None
    try:
        return door.read(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _again(came: Any, receive: Receive) -> Receive:
    """A `receive` that begins with what already came."""
    waiting = [came]

    async def receive_again() -> Any:
        return waiting.pop() if waiting else await receive()

    return receive_again

"""What a request is given: the house it is in, its work session, its caller.

*Work* opens before the handler and commits when it returns, before a byte of the answer is sent; anything raised rolls
it back. The door is the handler's choice: `Provide(deps.work("citizen"))`.
"""

from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Door, Doors
from core.keys import Keyring
from core.settings import Settings
from core.shortlived import Store

Connection = ASGIConnection[Any, Any, Any, Any]
HttpRequest = Request[Any, Any, Any]


class House(msgspec.Struct, frozen=True):
    """Everything that a process holds for its whole life; made once by `api.app`."""

    settings: Settings
    ring: Keyring
    doors: Doors
    short: Store


def house(connection: Connection) -> House:
    """The house of a request."""
    return connection.app.state.house


async def provide_house(request: HttpRequest) -> House:
    """Dependency `house`."""
    return house(request)


def work(door: Door) -> Callable[[HttpRequest], AsyncGenerator[AsyncSession, None]]:
    """A provider of the request's work session on `door`; the citizen door is told the caller's proof."""

    async def provide(request: HttpRequest) -> AsyncGenerator[AsyncSession, None]:
        caller = request.scope["state"].get("caller") if door == "citizen" else None
        told = {name: getattr(caller, name, None) for name in ("proof", "behalf")}
        async with house(request).doors.work(door, **told) as session:
            yield session

    return provide

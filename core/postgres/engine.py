"""An SQLAlchemy engine on asyncpg for a DSN as libpq writes it.

SQLAlchemy takes a URL of its own and knows neither `sslmode` nor `sslrootcert`; asyncpg reads libpq's form whole. So
the DSN goes to asyncpg as it stands, and `postgresql://…?sslmode=verify-full&sslrootcert=…` means the same at every
door, in a migration and in the raw pool (ASVS 12.3). Connects lazily; the caller disposes of it. With `pool_pre_ping`
nobody is given a connection that does not answer.
"""

from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_CONNECT_SECONDS = 2


def engine_of(dsn: str, *, connect: dict[str, Any] | None = None, **options: Any) -> AsyncEngine:
    """An engine for `dsn` (`postgresql://…`); `connect` are further arguments of asyncpg.connect.

    `options` are those of SQLAlchemy's engine. Parameters never stand in an exception's text: they hold personal data.
    """
    opened: Any = asyncpg.connect  # whose stubs know no plain dictionary of arguments
    held = {"timeout": _CONNECT_SECONDS, **(connect or {})}

    def open_one(*_: object, **__: object) -> Any:
        return opened(dsn, **held)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=open_one, hide_parameters=True, **options)
    event.listen(engine.sync_engine, "handle_error", _judge_ping)
    return engine


def _judge_ping(told: ExceptionContext) -> None:
    """A connection that cannot even be asked whether it lives does not: the pool opens another one.

    The driver of a server that was killed in the middle of a statement may still see a transaction there, and says so
    instead of that it is closed.
    """
    if told.is_pre_ping:
        told.is_disconnect = True

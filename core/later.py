"""What is done later, outside the request: a port of two functions over pgqueuer, in schema `jobs`.

Promises: what is put is there exactly if its transaction commits; it is done at least once, also after a process was
killed in the middle. Does not promise once, nor an order: whoever does it must bear a second time. A payload is an id
and nothing else. Nobody is woken: the worker looks twice a second (migration 0025 says why). pgqueuer loads at first
use, so that a web process, which puts nothing, never has it.
"""

import asyncio
import importlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from core import db, pgerrors
from core.db import Doors

Handler = Callable[[str], Awaitable[None]]
STALE = timedelta(seconds=30)
_AFTER_A_FAULT = timedelta(seconds=30)
_log = structlog.get_logger("osmanthus.later")


class NotNow(Exception):
    """Raised by a handler: do it again after `delay`."""

    def __init__(self, delay: timedelta) -> None:
        """`delay` from now."""
        super().__init__()
        self.delay = delay


async def put(session: AsyncSession, *, task: str, payload: str, key: str, after: timedelta = timedelta(0)) -> None:
    """Have `task` done with `payload` (an id), `after` from the beginning of the transaction; once a `key`.

    A key that waits or is being done already is left as it is. Raises RuntimeError outside a transaction.
    """
    from core import queue  # noqa: PLC0415  (see above)

    connection = await db.raw(session)
    if not connection.is_in_transaction():  # pgqueuer would commit it by itself
        message = "work is put in a transaction"
        raise RuntimeError(message)
    await queue.enqueue(connection, task=task, payload=payload, key=key, after=after)


async def attend(doors: Doors, tasks: Mapping[str, Handler], *, at_once: int = 64, stale: timedelta = STALE) -> None:
    """Do what is put until cancelled; then what was begun is ended. `stale`: after how long a dead worker's is taken.

    A handler's fault is logged by its kind, and the work tried again half a minute later. Raises what the database
    raises when it goes away.
    """
    queue = await asyncio.to_thread(importlib.import_module, "core.queue")  # a second, in which others work on
    await queue.attend(doors, {name: _guarded(name, one) for name, one in tasks.items()}, at_once, stale)


def _guarded(name: str, handler: Handler) -> Callable[[str], Awaitable[timedelta | None]]:
    """The handler as something that raises nothing and says when it is to be called again."""

    async def do(payload: str) -> timedelta | None:
        try:
            await handler(payload)
        except NotNow as later:
            return later.delay
        except asyncio.CancelledError:
            return timedelta(0)
        except Exception as error:  # noqa: BLE001  (whatever it is, the work stays to be done)
            _log.warning("not done", task=name, kind=type(error).__name__, away=pgerrors.is_unavailable(error))
            return _AFTER_A_FAULT
        return None

    return do

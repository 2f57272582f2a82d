"""pgqueuer, as `core.later` uses it: its tables in schema `jobs`, and a manager that drops no work.

The library deletes a job that failed, and one that is cancelled in its course. So work raises nothing here: it says
when it is to be done again, and on leaving, what was begun is let end.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.adapters.persistence import qb
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.settings import DBSettings
from pgqueuer.errors import RetryRequested
from pgqueuer.models import Job
from pgqueuer.ports.driver import Driver

from core.db import Doors

# Does what a payload names; says after how long it is to be done again, None for never. It raises nothing.
Work = Callable[[str], Awaitable[timedelta | None]]

_NAMES = DBSettings(db_schema="jobs")
_LOOK = timedelta(milliseconds=500)
_BATCH = 20
_LEAVING_SECONDS = 20


async def enqueue(
    connection: "asyncpg.Connection[asyncpg.Record]", *, task: str, payload: str, key: str, after: timedelta
) -> None:
    """Put a job on this connection, whose transaction has begun."""
    queue = _queries(AsyncpgDriver(connection))
    await queue.enqueue(task, payload.encode(), execute_after=after, dedupe_key=key, on_conflict="skip")


async def attend(doors: Doors, works: Mapping[str, Work], at_once: int, stale: timedelta) -> None:
    """Run a manager until cancelled, and then until what it began has ended."""
    async with doors.lasting("jobs", size=4) as pool:
        manager = QueueManager(_queries(AsyncpgPoolDriver(pool)))
        for name, work in works.items():
            manager.entrypoint(name, accepts_context=False)(_asked(work))
        running = asyncio.create_task(
            manager.run(
                dequeue_timeout=_LOOK, batch_size=_BATCH, max_concurrent_tasks=at_once, heartbeat_timeout=stale,
                log_aggregation_interval=timedelta(0),
            )
        )  # fmt: skip
        try:
            await asyncio.shield(running)
        finally:
            manager.shutdown.set()
            # A fault was raised above; what one who leaves did not finish, the next finds by its heartbeat.
            with contextlib.suppress(Exception):
                await asyncio.wait_for(running, _LEAVING_SECONDS)


def _asked(work: Work) -> Callable[[Job], Awaitable[None]]:
    """The work as pgqueuer calls it."""

    async def do(job: Job) -> None:
        again = await work((job.payload or b"").decode())
        if again is not None:
            raise RetryRequested(again)

    return do


def _queries(driver: Driver) -> Queries:
    """pgqueuer's statements for our schema, whatever the environment says."""
    return Queries(
        driver, qb.QueryBuilderEnvironment(_NAMES), qb.QueryQueueBuilder(_NAMES), qb.QuerySchedulerBuilder(_NAMES)
    )

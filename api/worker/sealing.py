"""Seals the log every second and hands each head to the outside (`core.sealer`, `core.heads`).

Promises: a head is in the file before the next one is signed, also after a crash between the two; a log that is shorter
than its published heads is not continued, since a new head would cover the cut. Who waits too long is told by
`/healthz/ready` and the metric.
"""

import asyncio

import structlog
from prometheus_client import Gauge

from api.deps import House
from api.requests import registry
from core import db, heads, pgerrors, sealer
from core.errors import Unavailable
from core.heads import Cut

SLOW_SECONDS = 60
_PAUSE_SECONDS = 1
_log = structlog.get_logger("osmanthus.sealing")
_unsealed = Gauge(
    "osmanthus_log_unsealed_seconds", "For how long the oldest unsealed entry has been waiting", registry=registry
)


async def run(house: House) -> None:
    """Seal until cancelled; a database that is away is waited for, a cut log is told and left as it is."""
    while True:
        try:
            await once(house)
        except Cut as error:
            _log.error("the log was cut", seen=str(error))
        except Exception as error:
            if not (isinstance(error, Unavailable) or pgerrors.is_unavailable(error)):
                raise
            _log.warning("waiting", kind=type(error).__name__)
        await asyncio.sleep(_PAUSE_SECONDS)


async def once(house: House) -> None:
    """Seal everything that may be sealed now, and publish. Raises heads.Cut."""
    path = house.settings.log_heads
    key, name = sealer.signing_key(house.ring), sealer.origin(house.settings.city_code)
    while True:
        async with house.doors.work("jobs") as session:
            if path:
                told = await asyncio.to_thread(heads.last, path)
                await asyncio.to_thread(heads.append, path, await heads.newer(await db.raw(session), told))
            made = await sealer.seal(session, key, name=name)
        if made is None:
            return
        if path:
            await asyncio.to_thread(heads.append, path, [made.note])


async def unsealed(house: House) -> float:
    """For how many seconds the oldest unsealed entry has been waiting; also told as a metric."""
    async with house.doors.claims("jobs") as session:
        seconds = await sealer.waiting(session)
    _unsealed.set(seconds)
    return seconds

"""What happens while something else is half done: people who come back, and who waits for whom."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg

from scoring import holders
from tests.scoringworld import City

_CONSENT = "update auth.consent set expires_at = now() - $2::interval where id = $1"
_LIVE = "update scoring.live set until = now() - $2::interval where record_subject = $1"
_WAITING = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


async def subject(city: City, who: str) -> uuid.UUID:
    """Under which subject the records of a person lie, while their consent lives."""
    async with city.as_citizen(city.people[who]) as session:
        holder = await holders.one(session, city.ring, citizen_id=city.people[who])
    assert holder is not None
    return holder.record_subject


async def lapse(city: City, who: str, *, days: int = 1) -> uuid.UUID:
    """A person's consent ran out so many days ago; returns the subject of their records."""
    found, ago = await subject(city, who), timedelta(days)
    await city.rows(_CONSENT, city.consents[who], ago)
    await city.rows(_LIVE, found, ago)
    return found


def renewing(city: City, who: str) -> AbstractAsyncContextManager[uuid.UUID]:
    """They renew it; committed at the end."""
    return city.joining(who, citizen_id=city.people[who])


async def renew(city: City, who: str) -> None:
    """They renew it, at once."""
    async with renewing(city, who):
        pass


@asynccontextmanager
async def holding(city: City, query: str, *values: Any) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Somebody holds these rows meanwhile, and may ask for more."""
    connection = await asyncpg.connect(city.owner_url)
    try:
        async with connection.transaction():
            await connection.fetch(query, *values)
            yield connection
    finally:
        await connection.close()


async def stuck(city: City, *tasks: asyncio.Task[Any]) -> None:
    """Wait until each of these tasks waits for somebody in the database, or is done."""
    async with asyncio.timeout(10):
        while len(await city.rows(_WAITING)) < sum(not task.done() for task in tasks):
            await asyncio.sleep(0.01)

"""The short-lived store in Redis keeps the same promises, when there is a Redis; `make interop` requires one."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from redisserver import ABSENT, redis_url
from shortlived_conformance import StoreConformance

from core import shortlived
from core.short.forgetting import StoreUnavailable
from core.short.redis import RedisStore
from core.shortlived import Store


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A real Redis, or a skip that says what is missing."""
    with redis_url() as url:
        if url is None:
            pytest.skip(ABSENT)
        yield url


@pytest_asyncio.fixture
async def store(server: str) -> AsyncIterator[Store]:
    """The store on a real Redis."""
    opened = shortlived.connect(redis_url=server, postgres_url="postgresql://unused")
    yield opened
    await opened.close()


class TestRedisStore(StoreConformance):
    """The port's promises."""

    async def test_connect_with_redis_is_redis(self, store: Store) -> None:
        """A deployment with Redis keeps this state there."""
        assert isinstance(store, RedisStore)

    async def test_a_flushed_store_has_another_epoch(self, store: Store, server: str) -> None:
        """When Redis forgets, the epoch changes."""
        from redis.asyncio import Redis

        before = await store.epoch()
        async with Redis.from_url(server) as client:
            await client.delete("osmanthus:short:epoch:")
        assert await store.epoch() != before


class TestForgetting:
    """What happens when Redis cannot be reached."""

    async def test_a_store_that_cannot_be_reached_fails_closed(self) -> None:
        """No verb answers yes or no when Redis is away."""
        away = RedisStore("redis://127.0.0.1:1/0")
        for call in (away.claim("k", 1), away.count("k", 1), away.take("k"), away.peek("k"), away.epoch()):
            with pytest.raises(StoreUnavailable):
                await call
        await away.close()

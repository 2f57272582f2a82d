"""The short-lived store on a real Redis, required here: `make test` runs it too, but only where there is one."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from redisserver import ABSENT, redis_url
from shortlived_conformance import StoreConformance

from core import shortlived
from core.shortlived import Store

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A real Redis; its absence is a failure."""
    with redis_url() as url:
        assert url is not None, ABSENT
        yield url


@pytest_asyncio.fixture
async def store(server: str) -> AsyncIterator[Store]:
    """The store on a real Redis."""
    opened = shortlived.connect(redis_url=server, postgres_url="postgresql://unused")
    yield opened
    await opened.close()


class TestRedisStore(StoreConformance):
    """The port's promises."""

"""A library at each channel, on one database for all tests of this folder that ask for it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from core import db, embedded
from core.keys import Keyring
from tests.channelworld import Counter, counter
from tests.clones import clone
from tests.conftest import PREFIX


@pytest_asyncio.fixture(scope="session", params=["wechat", "alipay"])
async def shop(
    request: pytest.FixtureRequest, cluster: embedded.Cluster, template: str, ring: Keyring
) -> AsyncIterator[Counter]:
    """The library at either channel."""
    async with clone(cluster, template) as url:
        doors = db.Doors(url, ring, PREFIX)
        async with counter(request.param, url, doors) as here:
            yield here
        await doors.close()

"""A city per test, on a clone of a database where the shipped rule book is in force."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from core import embedded
from core.db import Doors
from core.keys import Keyring
from tests.clones import clone, copy
from tests.conftest import PREFIX
from tests.scoringworld import City


@pytest_asyncio.fixture(scope="session")
async def ruled_template(cluster: embedded.Cluster, template: str, ring: Keyring) -> str:
    """The migrated database with the shipped scorecard and catalogue in force."""
    name = f"{template}_ruled"
    await copy(cluster, template, name)
    doors = Doors(cluster.dsn(name), ring, PREFIX)
    await City(doors, cluster.dsn(name)).publish()
    await doors.close()
    return name


@pytest_asyncio.fixture
async def database(
    cluster: embedded.Cluster, template: str, ruled_template: str, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """The owner's DSN of a fresh clone, with the rule book for who asks for a city."""
    async with clone(cluster, ruled_template if "city" in request.fixturenames else template) as url:
        yield url


@pytest_asyncio.fixture
async def city(doors: Doors, database: str) -> City:
    """The shipped rule book in force, nobody enrolled yet."""
    return City(doors, database)

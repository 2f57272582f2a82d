"""A city per test, on a clone of the migrated database."""

import pytest_asyncio

from core.db import Doors
from tests.scoringworld import City


@pytest_asyncio.fixture
async def city(doors: Doors, database: str) -> City:
    """The shipped rule book in force, nobody enrolled yet."""
    made = City(doors, database)
    await made.publish()
    return made

"""A city with a court; the civil clock goes back after each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from core import clock, db, embedded
from core.keys import Keyring
from tests.clones import clone
from tests.conftest import PREFIX
from tests.scoring.rights.disputeworld import Court
from tests.scoringworld import City


@pytest_asyncio.fixture
async def court(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[Court]:
    """The shipped rule book in force, nobody enrolled yet."""
    before = clock._offset
    async with clone(cluster, city_template) as owner_url:
        doors = db.Doors(owner_url, ring, PREFIX, size=2)
        yield Court(City(doors, owner_url))
        await doors.close()
    clock.move(before)

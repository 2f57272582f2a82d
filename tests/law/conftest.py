"""The law's tests: a city for what the rooms do, a server for what a citizen sees."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
import pytest_asyncio

from core import clock
from core.db import Doors
from tests.api.conftest import server  # noqa: F401  (the fixture; tests here ask for it by name)
from tests.scoring.rights.conftest import court  # noqa: F401  (the same)
from tests.scoringworld import City

Move = Callable[[City, int], Awaitable[None]]


@pytest_asyncio.fixture
async def city(doors: Doors, database: str) -> City:
    """The shipped rule book in force, nobody enrolled yet."""
    made = City(doors, database)
    await made.publish()
    return made


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Move:
    """Move the civil clock of this process and of a city's database, so many days ahead."""

    async def to(city: City, days: int) -> None:
        ahead = timedelta(days=days)
        monkeypatch.setattr(clock, "_offset", ahead)
        moved = (
            "insert into core.civil_offset (one, moved) values (true, $1) on conflict (one) do update set moved = $1"
        )
        await city.rows(moved, ahead)

    return to

"""What a sandbox's roles may do besides what a city's may: this list, and nothing else."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from core import embedded
from tests.access.closure import rights
from tests.access.doors import BEHIND
from tests.clones import clone

FUNCTIONS = ["sandbox." + name for name in ("advance", "citizen_of", "occupy", "owe", "spend", "webhooks_of")]


@pytest_asyncio.fixture
async def both(
    cluster: embedded.Cluster, shared_database: str, sandbox_template: str
) -> AsyncIterator[tuple[asyncpg.Connection, asyncpg.Connection]]:
    """The operator in a city and in a sandbox."""
    async with clone(cluster, sandbox_template) as url:
        city, sandbox = await asyncpg.connect(shared_database), await asyncpg.connect(url)
        yield city, sandbox
        await city.close()
        await sandbox.close()


async def test_only_the_partner_door_has_more(both: tuple[asyncpg.Connection, asyncpg.Connection]) -> None:
    """Its functions prove the caller's token; no table opens, and no other door has them."""
    city, sandbox = both
    more = {}
    for door in BEHIND:
        before, after = await rights(city, door), await rights(sandbox, door)
        if before != after:
            more[door] = {name: held for name, held in after.items() if held != before.get(name)}
    assert more == {
        "partner": {
            "schemas": ["incentives", "sandbox"],
            "functions": sorted([*(await rights(city, "partner"))["functions"], *FUNCTIONS]),
        },
        "gate": {
            "functions": sorted([*(await rights(city, "gate"))["functions"], *FUNCTIONS]),
            "core.civil_offset": "select insert(one, moved) update(moved)",
        },
    }

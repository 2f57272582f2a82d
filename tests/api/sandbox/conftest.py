"""A partner at the tests' sandbox, with the bureaus that its test citizens need."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest_asyncio

from api.tool import registration
from core import embedded
from core.keys import Keyring
from tests.api.conftest import Server, serving
from tests.clones import clone

LIBRARY, RENTAL, HOUSING = "library.deposit-free", "rental.deposit-free", "rental.housing"
SOURCES = {"utilities": ["P01"], "volunteer": ["P08"], "library": ["P04"], "civic": ["P13", "P14"],
           "enforcement": ["N01", "N03"]}  # fmt: skip


class Shop(msgspec.Struct, frozen=True):
    """A partner's client, and the server that it asks."""

    http: httpx2.AsyncClient
    server: Server

    async def draw(self, citizen: str, perk: str = LIBRARY) -> dict[str, Any]:
        """A fresh code of a test citizen."""
        drawn = await self.http.post("/v1/sandbox/codes", json={"perk": perk, "citizen": citizen})
        assert drawn.status_code == 201, drawn.text
        return drawn.json()

    async def subject(self, citizen: str, perk: str = LIBRARY) -> dict[str, Any]:
        """The subject of a test citizen."""
        shared = await self.http.post("/v1/sandbox/subjects", json={"perk": perk, "citizen": citizen})
        assert shared.status_code == 201, shared.text
        return shared.json()

    async def behind(self, statement: str, *values: object) -> None:
        """One statement of the operator's."""
        owner = await asyncpg.connect(self.server.owner_url)
        try:
            await owner.execute(statement, *values)
        finally:
            await owner.close()


@pytest_asyncio.fixture(scope="package")
async def shop(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[Shop]:
    """A sandbox with every bureau, and a partner of both perks."""
    async with clone(cluster, city_template) as url, serving(url, ring.file, published=True) as server:
        for name, kinds in SOURCES.items():
            await server.register(name, "source", "records:write", kinds=kinds)
        entry = await registration.add(
            server.house.settings, client_id="bikes", role="partner", name="单车", perks=[LIBRARY, RENTAL, HOUSING],
            scopes=["eligibility:check", "orders:write"],
        )  # fmt: skip
        auth = server.as_client(entry)
        async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=30) as http:
            yield Shop(http, server)

"""A partner at the tests' sandbox, with the bureaus that its test citizens need."""

from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest_asyncio

from core import embedded
from core.keys import Keyring
from tests.api.conftest import Server, _clone, serving

LIBRARY, RENTAL = "library.deposit-free", "rental.deposit-free"
SOURCES = {"utilities": ["P01"], "volunteer": ["P08"], "library": ["P04"], "civic": ["P13", "P14"],
           "enforcement": ["N01", "N03"]}  # fmt: skip


class Shop(msgspec.Struct, frozen=True):
    """A partner's client, and the server that it asks."""

    http: httpx2.AsyncClient
    server: Server

    async def draw(self, citizen: str, perk: str = LIBRARY) -> dict[str, object]:
        """A fresh code of a test citizen."""
        drawn = await self.http.post("/v1/sandbox/codes", json={"perk": perk, "citizen": citizen})
        assert drawn.status_code == 201, drawn.text
        return drawn.json()

    async def subject(self, citizen: str, perk: str = LIBRARY) -> dict[str, object]:
        """The subject of a test citizen."""
        shared = await self.http.post("/v1/sandbox/subjects", json={"perk": perk, "citizen": citizen})
        assert shared.status_code == 201, shared.text
        return shared.json()


@pytest_asyncio.fixture(scope="package")
async def shop(cluster: embedded.Cluster, city_template: str, ring: Keyring) -> AsyncIterator[Shop]:
    """A sandbox with every bureau, and a partner of both perks."""
    async with _clone(cluster, city_template) as url, serving(url, ring.file, published=True) as server:
        for name, kinds in SOURCES.items():
            await server.register(name, "source", "records:write", kinds=kinds)
        auth, entry = await server.register("bikes", "partner", "eligibility:check", perks=[LIBRARY, RENTAL])
        entry["scopes"].append("orders:write")
        async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=30) as http:
            yield Shop(http, server)

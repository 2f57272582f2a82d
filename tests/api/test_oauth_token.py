"""Tokens for clients that act for themselves, and the guards that read them. F numbers: FAPI 2.0 as testable points."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from api.deps import House
from api.signing import Signer, fresh_key, public_half
from auth import clients
from core import db, embedded
from core.keys import Keyring
from core.postgres import migrate
from tests.api import oauth_app
from tests.api.oauth_client import Caller
from tests.conftest import PREFIX, _clone


class World(msgspec.Struct, frozen=True):
    """A running app and three clients of it."""

    http: httpx2.AsyncClient
    house: House
    url: str
    keys: dict[str, dict[str, Any]]

    def caller(self, name: str) -> Caller:
        """A client that signs with its registered key."""
        return Caller(self.http, Signer(self.keys[name], client_id=name, issuer=oauth_app.BASE))


@pytest_asyncio.fixture(scope="module")
async def world(
    cluster: embedded.Cluster, template: str, ring: Keyring, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Two partners and a source, registered by the owner, on a database of their own."""
    async with _clone(cluster, template) as url:
        doors = db.Doors(url, ring, PREFIX)
        house = oauth_app.house_on(url, doors, tmp_path_factory.mktemp("w") / "none")
        keys = {name: fresh_key() for name in ("library", "rental", "water")}
        await _register(url, ring, keys)
        async with oauth_app.running(house) as http:
            yield World(http, house, url, keys)
        await house.short.close()
        await doors.close()


async def _register(url: str, ring: Keyring, keys: dict[str, dict[str, Any]]) -> None:
    """What the operator does with `osmanthus client add`."""
    engine = create_async_engine(migrate.asyncpg_url(url))
    async with AsyncSession(engine) as session, session.begin():
        for name in ("library", "rental"):
            await clients.add(
                session,
                ring,
                client_id=name,
                role="partner",
                name=name,
                jwks=[keys[name]],
                scopes=["eligibility:check", "orders:write"],
                perks=["library.deposit-free"],
            )
        await clients.add(
            session,
            ring,
            client_id="water",
            role="source",
            name="water",
            jwks=[keys["water"]],
            scopes=["records:write"],
        )
    await engine.dispose()


class TestToken:
    async def test_a_partner_gets_a_token_and_is_let_in(self, world: World) -> None:
        """private_key_jwt, a DPoP proof with our nonce, then a guarded door."""
        caller = world.caller("library")
        answer = await caller.request("GET", "/v1/partner/perks")
        assert answer.status_code == 200, answer.text
        assert answer.json() == ["library.deposit-free"]
        answer = await caller.request("GET", "/v1/partner/hot")
        answer = await caller.request("GET", "/v1/partner/hot")
        assert answer.status_code == 200, answer.text
        answer = await caller.request("GET", "/v1/source/subjects")
        assert answer.status_code == 403, answer.text

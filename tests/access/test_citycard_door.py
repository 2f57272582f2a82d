"""Who may what, by the city card door's real login: its functions, and not a row besides."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from core import db, embedded
from core.keys import Keyring
from tests.access.closure import WRITTEN
from tests.access.test_partner_door import HOSTILE
from tests.clones import clone
from tests.conftest import PREFIX
from tests.gateworld import LIBRARY, World, world

_DENIED = {"42501", "0LP01", "42P01", "3F000", "42704"}
OTHERS = [
    "select * from incentives.check_eligibility(null, '', null, null, null, null, null, '{}', null, '', null)",
    "select * from incentives.perks_of_caller(null)",
    "select incentives.operator_of('', null)",
]


@pytest_asyncio.fixture(scope="module")
async def url(cluster: embedded.Cluster, template: str) -> AsyncIterator[str]:
    """One clone for this file: nothing here changes anything."""
    async with clone(cluster, template) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def city(url: str) -> AsyncIterator[World]:
    """A perk in force."""
    async with world(url) as laid:
        await laid.perk(body="x")
        yield laid


@pytest_asyncio.fixture
async def door(city: World, url: str, ring: Keyring) -> AsyncIterator[asyncpg.Connection]:
    """One connection of the door, with its own role and password."""
    assert city
    doors = db.Doors(url, ring, PREFIX, size=1)
    async with (await doors.pool("citycard")).acquire() as connection:
        yield connection  # pyright: ignore[reportReturnType]  (a proxy of a connection)
    await doors.close()


class TestDoor:
    """Its login."""

    async def test_it_is_the_real_one_and_has_functions_alone(self, door: asyncpg.Connection) -> None:
        """The written table names functions and one schema, and no relation."""
        assert (
            await door.fetchval("select session_user || ' ' || current_user") == "osmanthus_citycard osmanthus_citycard"
        )
        assert set(WRITTEN["citycard"]) == {"schemas", "functions"}

    @pytest.mark.parametrize("statement", [*HOSTILE, *OTHERS])
    async def test_what_an_injection_could_try_is_denied(self, door: asyncpg.Connection, statement: str) -> None:
        """Every hostile statement of the partner's door, and the partner's own functions."""
        with pytest.raises(asyncpg.PostgresError) as caught:
            await door.fetch(statement)
        assert caught.value.sqlstate in _DENIED, caught.value


class TestProof:
    """A live token of an operator, and nothing else."""

    async def test_a_live_token_is_answered_and_no_other(self, door: asyncpg.Connection, city: World) -> None:
        """Not a partner's, not one of another scope, not one that has ended, none of a disabled operator."""
        ask = "select perk_id from incentives.perks_of_operator($1)"
        await city.partner("metrocard", role="citycard")
        await city.partner("a-shop")
        good = await city.token("metrocard", scope="citycard")
        bad = [
            await city.token("a-shop", scope="citycard"),
            await city.token("metrocard"),
            await city.token("metrocard", scope="citycard", seconds=-1),
            b"",
        ]
        assert [row["perk_id"] for row in await door.fetch(ask, good)] == [LIBRARY]
        for token in [*bad, None]:
            assert await door.fetch(ask, token) == []
        await city.do("update auth.client set disabled_at = now() where client_id = 'metrocard'")
        assert await door.fetch(ask, good) == []

    async def test_an_operator_without_perks_is_told_so(self, door: asyncpg.Connection, city: World) -> None:
        """One row of nulls: no row would mean a dead token."""
        await city.partner("newcard", perks=(), role="citycard")
        token = await city.token("newcard", scope="citycard")
        rows = await door.fetch("select * from incentives.perks_of_operator($1)", token)
        assert [tuple(row) for row in rows] == [(None, None, None, None)]

"""The civil clock of a sandbox: forwards, for everybody, and what it makes due is done."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import asyncpg
import httpx2
import msgspec
import pytest
import pytest_asyncio

from api import app, openapi
from core import clock, ids, sandbox
from core.postgres import migrate
from core.settings import Settings
from tests.api.conftest import Server
from tests.conftest import PREFIX

CLOCK = "/v1/sandbox/clock"
NO_STEPS = (
    {}, {"advance": "P1D", "days": 1}, {"advance": "-P1D"}, {"advance": "PT0S"}, {"advance": "P2Y"},
    {"advance": "tomorrow"}, {"days": 0}, {"days": 367}, {"advance": "P367D"},
)  # fmt: skip


@pytest_asyncio.fixture
async def shop(lone_server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """A partner's client at a sandbox of its own; the clock of this process is set back afterwards."""
    auth, _ = await lone_server.register("shop", "partner", "eligibility:check", perks=["library.deposit-free"])
    async with httpx2.AsyncClient(base_url=lone_server.base_url, auth=auth, timeout=30) as http:
        yield http
    clock.move(timedelta(0))


class TestAdvance:
    """`POST /v1/sandbox/clock`."""

    async def test_civil_time_moves_and_protocol_time_stands(
        self, lone_server: Server, shop: httpx2.AsyncClient
    ) -> None:
        """Steps add up, in every process; the token lives on; whoever takes part until day 300 does not on day 301."""
        async with lone_server.logged_in(lone_server.person()) as me:
            await lone_server.join(me)
            for days, sent in ((297, {"advance": "P297D"}), (299, {"days": 2})):
                moved = await shop.post(CLOCK, json=sent)
                assert moved.status_code == 200, moved.text
                told = moved.json()
                assert told["advanced"] == f"P{days}D"
                civil, wall = (datetime.fromisoformat(told[name]) for name in ("civil", "wall"))
                assert civil - wall == timedelta(days=days) == clock.offset()
                assert abs(wall - clock.wall()) < timedelta(minutes=1)
            assert (await me.get("/v1/me/score")).status_code == 200
            await shop.post(CLOCK, json={"days": 2})
            assert (await me.get("/v1/me/score")).json()["consent_state"] == "expired"
        assert (await shop.get(CLOCK)).json()["advanced"] == "P301D"
        clock.move(timedelta(0))
        async with app.following(lone_server.house), asyncio.timeout(5):
            while not clock.offset():
                await asyncio.sleep(0.01)
        assert clock.offset() == timedelta(days=301)

    async def test_a_sandbox_has_an_end(self, lone_server: Server, shop: httpx2.AsyncClient) -> None:
        """After ten years its calendar is used up, and that is said."""
        owner = await asyncpg.connect(lone_server.owner_url)
        await owner.execute("insert into core.civil_offset values (true, interval '3660 days')")
        await owner.close()
        over = await shop.post(CLOCK, json={"days": 1})
        assert (over.status_code, "make a new one" in over.text) == (422, True)

    async def test_what_is_no_step_forwards_is_refused(self, server: Server) -> None:
        """422, and the clock stands."""
        auth, _ = await server.register("clock-shop", "partner", "eligibility:check", perks=["library.deposit-free"])
        async with httpx2.AsyncClient(base_url=server.base_url, auth=auth, timeout=30) as http:
            for sent in NO_STEPS:
                assert (await http.post(CLOCK, json=sent)).status_code == 422, sent
            assert (await http.get(CLOCK)).json()["advanced"] == "P0D"

    async def test_nobody_moves_it_without_a_live_token(self, server: Server) -> None:
        """The gate proves the caller itself: no row and no move for a hash that no live token has."""
        pool = await server.house.doors.pool()
        row = await pool.fetchrow("select * from sandbox.advance($1, $2, $3)", bytes(32), timedelta(days=1), ids.new())
        assert row is None


def _settings(server: Server, **changed: object) -> Settings:
    return msgspec.structs.replace(server.house.settings, **changed)


class TestRealCity:
    """What a city is that nobody created as a sandbox."""

    async def test_nothing_turns_it_into_one(self, database: str) -> None:
        """Migrating it again as a sandbox changes nothing: no schema, no function, no right."""
        await migrate.downgrade(database, role_prefix=PREFIX, revision="0028")
        await migrate.upgrade(database, role_prefix=PREFIX, sandbox=True)
        owner = await asyncpg.connect(database)
        try:
            assert not await owner.fetchval(sandbox.MARK)
            assert not await owner.fetchval(
                "select bool_or(has_any_column_privilege(oid, 'core.civil_offset', 'insert, update')) "
                "from pg_roles where rolname like $1",
                f"{PREFIX}\\_%",
            )
        finally:
            await owner.close()

    async def test_settings_and_database_must_agree(self, server: Server, database: str) -> None:
        """Settings that say sandbox over a real city's database, or the other way round: no server."""
        for wrong in (_settings(server, database_url=database), _settings(server, sandbox=False, demo_idp=False)):
            with pytest.raises(ExceptionGroup) as raised:
                async with app.build(wrong).lifespan():
                    pass
            assert isinstance(raised.value.exceptions[0], sandbox.Mismatch)

    async def test_it_has_no_such_address(self, server: Server) -> None:
        """Absent like any other, and not a word in the document."""
        application = app.build(_settings(server, sandbox=False, demo_idp=False))
        assert [route.path for route in application.routes if "sandbox" in route.path] == []
        assert b"/v1/sandbox" not in openapi.document(application)

    async def test_a_sandbox_can_be_taken_back(self, lone_server: Server) -> None:
        """A downgrade takes the mark and its rights away."""
        await migrate.downgrade(lone_server.owner_url, role_prefix=PREFIX, revision="0028")
        owner = await asyncpg.connect(lone_server.owner_url)
        try:
            assert not await owner.fetchval(sandbox.MARK)
        finally:
            await owner.close()

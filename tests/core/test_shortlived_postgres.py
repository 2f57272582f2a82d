"""The short-lived store in PostgreSQL keeps the port's promises, and its own about crashes."""

import pathlib
import signal
import tempfile
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from shortlived_conformance import StoreConformance

from core import db, embedded, shortlived
from core.keys import Keyring
from core.postgres import migrate
from core.short.forgetting import StoreUnavailable
from core.short.postgres import PostgresStore
from core.shortlived import Store


@pytest_asyncio.fixture
async def store(shared_database: str, shared_doors: db.Doors) -> AsyncIterator[Store]:
    """The store on the auth door of the shared clone; keys are fresh, so nothing needs rolling back."""
    url = db.door_url(shared_database, shared_doors.ring, "osmanthus", "auth")
    opened = shortlived.connect(redis_url=None, postgres_url=url)
    yield opened
    await opened.close()


class TestPostgresStore(StoreConformance):
    """The port's promises."""

    async def test_connect_without_redis_is_postgres(self, store: Store) -> None:
        """A deployment without Redis keeps this state in its database."""
        assert isinstance(store, PostgresStore)

    async def test_sweep_counts_what_it_removed(self, store: Store) -> None:
        """Sweeping says how many rows it removed."""
        await store.sweep()
        await store.claim("x", 0)
        await store.count("x", 0)
        await store.put("x", b"", 0)
        assert await store.sweep() == 3


class TestForgetting:
    """What happens when the store is lost or cannot be reached."""

    async def test_a_crash_of_the_server_empties_the_store_and_changes_the_epoch(self, ring: Keyring) -> None:
        """UNLOGGED tables are empty after a crash, and the epoch is lost with them."""
        with tempfile.TemporaryDirectory(prefix="osm-") as folder:
            home = pathlib.Path(folder)
            first = embedded.start(home, durable=True)
            await migrate.upgrade(first.cluster.dsn(), role_prefix="osmanthus")
            await db.arm(first.cluster.dsn(), ring, "osmanthus")
            before = await self._epoch_and_claim(first.cluster.dsn(), ring)
            first.server.send_signal(signal.SIGKILL)
            first.server.wait()
            embedded.stop(first)
            second = embedded.start(home, durable=True)
            after = await self._epoch_and_claim(second.cluster.dsn(), ring)
            embedded.stop(second)
        assert before[1] is after[1] is True
        assert before[0] != after[0]

    async def test_a_connection_that_dies_under_a_verb_fails_closed(
        self, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever the driver calls it, nobody is told of a fault of ours."""

        async def die(*_: object) -> None:
            raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")

        assert await store.claim("before", 60) is True
        monkeypatch.setattr(asyncpg.Connection, "fetchval", die)
        with pytest.raises(StoreUnavailable):
            await store.claim("k", 60)

    async def test_a_store_that_cannot_be_reached_fails_closed(self) -> None:
        """No verb answers yes or no when the database is away."""
        away = PostgresStore("postgresql://nobody:x@127.0.0.1:1/none")
        for call in (away.claim("k", 1), away.count("k", 1), away.take("k"), away.peek("k"), away.epoch()):
            with pytest.raises(StoreUnavailable):
                await call
        await away.close()

    async def test_a_fault_of_ours_is_not_hidden(self, shared_database: str) -> None:
        """A database without the tables is a mistake of the deployment, not a moment's absence."""
        lost = PostgresStore(shared_database.rpartition("/")[0] + "/postgres" + "?" + shared_database.partition("?")[2])
        with pytest.raises(asyncpg.UndefinedTableError):
            await lost.peek("k")
        await lost.close()

    @staticmethod
    async def _epoch_and_claim(owner_url: str, ring: Keyring) -> tuple[str, bool]:
        store = PostgresStore(db.door_url(owner_url, ring, "osmanthus", "auth"))
        told = await store.epoch(), await store.claim("once", 60)
        await store.close()
        return told

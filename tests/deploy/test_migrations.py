"""The migrations and the tables that the code speaks of are the same thing."""

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

import auth.consent.tables
import auth.counter.tables
import auth.granttables
import auth.tables
import core.short.tables
import incentives.tables
import scoring.feedtables
import scoring.rehearsal.tables
import scoring.reporttables
import scoring.righttables
import scoring.tables
from core.postgres import migrate
from core.postgres.engine import engine_of
from core.tables import metadata

ROOMS = (
    core.short.tables,
    auth.tables,
    auth.granttables,
    auth.consent.tables,
    auth.counter.tables,
    scoring.feedtables,
    scoring.reporttables,
    scoring.tables,
    scoring.rehearsal.tables,
    scoring.righttables,
    incentives.tables,
)
OURS = ("keys", "core", "auth", "scoring", "incentives")


async def relations(database: str) -> list[str]:
    """What our schemas hold."""
    connection = await asyncpg.connect(database)
    try:
        query = "select relname from pg_class join pg_namespace n on n.oid = relnamespace where nspname = any($1)"
        return [row["relname"] for row in await connection.fetch(query, OURS)]
    finally:
        await connection.close()


def differences(connection: Connection) -> list[object]:
    """What Alembic would change in the database to make it what the code says."""
    context = MigrationContext.configure(connection, opts={"include_schemas": True, "compare_type": True})
    return [change for change in compare_metadata(context, metadata) if "alembic_version" not in str(change)]


class TestUpgrade:
    """From nothing to the head."""

    async def test_the_head_is_what_the_code_speaks_of(self, database: str) -> None:
        """Tables, columns, types, constraints and indexes of the migrated database equal the metadata."""
        engine = engine_of(database)
        async with engine.connect() as connection:
            found = await connection.run_sync(differences)
        await engine.dispose()
        assert found == []

    async def test_the_database_knows_its_revision(self, database: str) -> None:
        """After an upgrade the database is at the code's head."""
        assert await migrate.current(database) == migrate.head()

    async def test_a_second_upgrade_changes_nothing(self, database: str) -> None:
        """Whoever starts twice migrates once."""
        before = sorted(await relations(database))
        await migrate.upgrade(database, role_prefix="osmanthus")
        assert sorted(await relations(database)) == before


class TestDowngrade:
    """And back."""

    async def test_down_to_nothing_and_up_again(self, database: str) -> None:
        """Every migration can be taken back and made again."""
        before = sorted(await relations(database))
        await migrate.downgrade(database, role_prefix="osmanthus")
        assert await relations(database) == []
        await migrate.upgrade(database, role_prefix="osmanthus")
        assert sorted(await relations(database)) == before

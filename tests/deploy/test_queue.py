"""pgqueuer's tables are what the pinned library says they are."""

import re

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence import schema_ddl
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings

from core.postgres.migrate import statements

SETTINGS = DBSettings(db_schema="jobs")


def lines(sql: str) -> list[str]:
    """What it says, without comments at the top, blank lines and ends of statements."""
    return [line for each in sql.splitlines() if (line := re.sub(r"^--.*", "", each).rstrip().removesuffix(";"))]


class TestQueue:
    """Schema `jobs`."""

    def test_the_migration_says_what_the_library_says(self) -> None:
        """Another version of pgqueuer with other tables is red until a migration brings them."""
        ours = "\n".join(statements("0025_queue.sql", "osmanthus"))
        assert lines(ours) == lines(schema_ddl.render_install(SETTINGS, create_schema=False))

    async def test_the_library_would_change_nothing(self, database: str) -> None:
        """`pgq upgrade` has no statement for a migrated database."""
        connection = await asyncpg.connect(database)
        try:
            queries = Queries(AsyncpgDriver(connection), qbe=QueryBuilderEnvironment(SETTINGS))
            plan = await queries.plan_upgrade()
        finally:
            await connection.close()
        assert plan.statements == (), plan

    async def test_a_commit_tells_nobody(self, database: str) -> None:
        """The trigger is off: who NOTIFYs waits for the disk of the one before."""
        connection = await asyncpg.connect(database)
        try:
            state = await connection.fetchval("select tgenabled from pg_trigger where tgname = 'tg_pgqueuer_changed'")
        finally:
            await connection.close()
        assert state == b"D"

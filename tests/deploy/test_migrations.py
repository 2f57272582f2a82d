"""The migrations and the tables that the code speaks of are the same thing."""

from datetime import date

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from core.postgres import migrate
from core.postgres.engine import engine_of
from tests.everytable import metadata

OURS = ("keys", "core", "auth", "scoring", "incentives", "jobs")


async def relations(database: str) -> list[str]:
    """What our schemas hold."""
    connection = await asyncpg.connect(database)
    try:
        query = "select relname from pg_class join pg_namespace n on n.oid = relnamespace where nspname = any($1)"
        return [row["relname"] for row in await connection.fetch(query, OURS)]
    finally:
        await connection.close()


def differences(connection: Connection) -> list[object]:
    """What Alembic would change in the database to make it what the code says; `jobs` is pgqueuer's (test_queue)."""

    def ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "schema" or name != "jobs"

    opts = {"include_schemas": True, "compare_type": True, "include_name": ours}
    context = MigrationContext.configure(connection, opts=opts)
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


_OF_THEN = """
insert into auth.client (client_id, role, name, public, scopes, kinds, perks, redirect_uris, jwks, created_at)
values ('bureau', 'source', 'x', false, '{}', '{}', '{}', '{}', '[]', now());
insert into core.release (id, kind, name, body, digest, effective_on, drafted_by, drafted_at, approved_by, approved_at)
values (gen_random_uuid(), 'scorecard', 'x', 'x', 'x', '2026-01-01', 'a', now(), 'b', now());
insert into scoring.batch (id, source, received, accepted, received_at)
values ('00000000-0000-0000-0000-000000000001', 'bureau', 2, 2, now());
insert into scoring.record (id, record_subject, source, ref, version, kind, provider, occurred_on, quantity, severity,
  from_on, until_on, sealed, status, status_at, batch_id, received_at)
select gen_random_uuid(), '00000000-0000-0000-0000-000000000002', 'bureau', status, 1, 'N01', '', '2026-01-10', 1,
  'general', '2026-02-01', '2027-01-10', '', status, '2026-06-30T16:30:00Z',
  '00000000-0000-0000-0000-000000000001', now()
from unnest(array['active', 'repaired', 'revoked']) as status;
"""


class TestCarriedOver:
    """A city that is there already."""

    async def test_what_was_repaired_before_stays_repaired(self, database: str) -> None:
        """Rows of an earlier revision come along; a repaired deduction ends on the civil day of its repair."""
        await migrate.downgrade(database, role_prefix="osmanthus", revision="0015")
        connection = await asyncpg.connect(database)
        try:
            await connection.execute(_OF_THEN)
            await migrate.upgrade(database, role_prefix="osmanthus")
            rows = await connection.fetch("select ref, until_on from scoring.record")
        finally:
            await connection.close()
        stays = date(2027, 1, 10)
        assert {row["ref"]: row["until_on"] for row in rows} == {
            "active": stays,
            "revoked": stays,
            "repaired": date(2026, 7, 1),
        }


class TestDowngrade:
    """And back."""

    async def test_down_to_nothing_and_up_again(self, database: str) -> None:
        """Every migration can be taken back and made again."""
        before = sorted(await relations(database))
        await migrate.downgrade(database, role_prefix="osmanthus")
        assert await relations(database) == []
        await migrate.upgrade(database, role_prefix="osmanthus")
        assert sorted(await relations(database)) == before

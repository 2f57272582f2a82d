"""Row security is on everywhere, for everybody, and nothing goes around it. By closure over the catalogue."""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from tests.access.doors import BEHIND, OURS, WITHOUT_ROWS

_GRANTED = """
select d.door, c.oid::regclass::text as relation, kind
from pg_class c cross join unnest($1::text[]) as d (door)
cross join unnest(array['select', 'insert', 'update', 'delete']) as kind
where c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text = any($2)
  and case kind when 'delete' then has_table_privilege('osmanthus_' || d.door, c.oid, kind)
    else has_any_column_privilege('osmanthus_' || d.door, c.oid, kind) end
"""
_ALLOWED = """
select d.door, p.schemaname || '.' || p.tablename as relation, lower(p.cmd) as kind
from pg_policies p cross join unnest($1::text[]) as d (door)
where 'osmanthus_' || d.door = any (p.roles) or 'public' = any (p.roles)
"""
_NAMED = """
select d.door, p.schemaname || '.' || p.tablename
from pg_policies p cross join unnest($1::text[]) as d (door) where 'osmanthus_' || d.door = any (p.roles)
"""


@pytest_asyncio.fixture
async def catalogue(shared_database: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """The operator, reading the catalogue."""
    connection = await asyncpg.connect(shared_database)
    yield connection
    await connection.close()


Catalogue = asyncpg.Connection


class TestEveryTable:
    """Tables and their policies."""

    async def test_row_security_is_on_and_forced(self, catalogue: Catalogue) -> None:
        """Whoever adds a table adds its policies to the last migration's, or this is red."""
        rows = await catalogue.fetch(
            "select oid::regclass::text as name, relrowsecurity and relforcerowsecurity as held from pg_class "
            "where relkind in ('r', 'p') and relnamespace::regnamespace::text = any($1)",
            OURS,
        )
        assert {row["name"] for row in rows if not row["held"]} == WITHOUT_ROWS

    async def test_every_grant_has_its_policy_and_every_policy_its_grant(self, catalogue: Catalogue) -> None:
        """A grant without a policy shows nothing and hides a fault; a policy without a grant waits for one."""
        granted = {tuple(row) for row in await catalogue.fetch(_GRANTED, BEHIND, OURS)}
        allowed = {tuple(row) for row in await catalogue.fetch(_ALLOWED, BEHIND)}
        wide = {(door, relation) for door, relation, kind in allowed if kind == "all"}
        bare = {one for one in granted if one not in allowed and one[:2] not in wide and one[1] not in WITHOUT_ROWS}
        assert bare == set()
        named = {tuple(row) for row in await catalogue.fetch(_NAMED, BEHIND)}
        assert named - {(door, relation) for door, relation, _ in granted} == set()

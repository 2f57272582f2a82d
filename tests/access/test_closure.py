"""No role has a right that is not written down, and none is written down that it has not."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from tests.access.closure import WRITTEN, unwritten
from tests.access.doors import BEHIND
from tests.conftest import PREFIX

# Each opens something a little, to a door that must not have it.
OPENED = [
    "grant select on scoring.standing to {p}_staff",
    "grant select on scoring.record to {p}_source",
    "grant select (points) on scoring.standing to {p}_auth",
    "grant select on auth.citizen to {p}_scorer",
    "grant select (citizen_id) on auth.session to {p}_citizen",
    "grant select on auth.consent to public",
    "grant select on keys.person_key to {p}_staff",
    "grant select on core.audit_entry to {p}_staff",
    "grant select on incentives.decision to {p}_partner",
    "grant select on auth.live_consent to {p}_partner",
    "grant update (sealed) on auth.account to {p}_citizen",
    "grant insert on scoring.record to {p}_citizen",
    "grant delete on auth.citizen to {p}_jobs",
    "grant truncate on scoring.record to {p}_scorer",
    "grant references on auth.citizen to {p}_staff",
    "grant usage on sequence auth.source_subject_seq to {p}_citizen",
    "grant usage on schema scoring to {p}_partner",
    "grant create on schema scoring to {p}_gate",
    "grant execute on function auth.citizen_now() to public",
    "grant execute on function scoring.erase_of(uuid, uuid) to {p}_scorer",
    "grant {p}_gate to {p}_partner",
    "grant pg_read_all_data to {p}_source",
    "create function public.open() returns int language sql return 1",
    "create table scoring.more (a int); grant select on scoring.more to {p}_jobs",
    "revoke select on auth.citizen from {p}_auth",
]


@pytest_asyncio.fixture
async def catalogue(shared_database: str) -> AsyncIterator[asyncpg.Connection]:
    """The operator on the shared clone, rolled back."""
    connection = await asyncpg.connect(shared_database)
    step = connection.transaction()
    await step.start()
    yield connection
    await step.rollback()
    await connection.close()


class TestClosure:
    """The table and the catalogue."""

    async def test_each_role_may_exactly_what_is_written(self, catalogue: asyncpg.Connection) -> None:
        """Relations, columns, sequences, functions and schemas; whatever PUBLIC has counts for each."""
        found = await unwritten(catalogue)
        assert found == [], "\n".join(found)

    async def test_each_role_of_ours_is_in_the_table(self, catalogue: asyncpg.Connection) -> None:
        """A role that somebody adds is red until it is listed."""
        roles = await catalogue.fetch("select rolname from pg_roles where rolname like $1", f"{PREFIX}\\_%")
        assert {row[0] for row in roles} == {f"{PREFIX}_{door}" for door in WRITTEN}
        assert sorted(WRITTEN) == sorted(BEHIND)

    @pytest.mark.parametrize("opened", OPENED)
    async def test_one_right_more_or_less_is_seen(self, catalogue: asyncpg.Connection, opened: str) -> None:
        """Whatever opens the house a little, or shuts out who works there, is a difference."""
        await catalogue.execute(opened.format(p=PREFIX))
        assert await unwritten(catalogue) != []

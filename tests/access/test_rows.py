"""What each door is shown of people: by hostile statements, and by taking every policy away in turn.

Who Ann, Bob and Cal are: `conftest.Stage`.
"""

import re
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio

from core.db import Door, Doors
from core.keys import Keyring
from tests.access.conftest import Stage
from tests.access.doors import OURS
from tests.conftest import PREFIX

READERS: tuple[Door, ...] = ("citizen", "scorer", "jobs")
Connection = asyncpg.Connection
_TABLES = (
    "keys.person_key", "core.audit_entry", "auth.citizen", "auth.session", "auth.consent", "auth.consent_end",
    "auth.consent_event", "auth.source_subject", "scoring.link", "scoring.live", "scoring.record", "scoring.standing",
    "scoring.standing_change",
)  # fmt: skip
# Constant for these doors, with the reason in the policies' file.
_ALL = {
    ("jobs", "scoring.live"), ("jobs", "keys.person_key"), ("jobs", "auth.citizen"), ("jobs", "auth.consent"),
    ("jobs", "auth.consent_event"), ("jobs", "core.audit_entry"), ("jobs", "auth.consent_end"),
}  # fmt: skip


async def _stand(connection: Connection, stage: Stage, door: Door) -> None:
    await connection.execute(f"set local role {PREFIX}_{door}")
    await connection.execute("select set_config('app.proof', $1, true)", stage.proof.hex())
    await connection.execute("select set_config('app.subject', $1, true)", stage.subject)


async def _seen(connection: Connection, stage: Stage) -> dict[tuple[str, str], int]:
    """How many rows of each table each door is shown; -1 where it may not look."""
    found: dict[tuple[str, str], int] = {}
    for door in READERS:
        for table in _TABLES:
            step = connection.transaction()
            await step.start()
            await _stand(connection, stage, door)
            try:
                found[door, table] = await connection.fetchval(f"select count(*) from {table}")
            except asyncpg.PostgresError:
                found[door, table] = -1
            await step.rollback()
    return found


@pytest_asyncio.fixture
async def operator(stage: Stage) -> AsyncIterator[Connection]:
    """The operator, in a transaction that is rolled back."""
    connection = await asyncpg.connect(stage.url)
    outer = connection.transaction()
    await outer.start()
    yield connection
    await outer.rollback()
    await connection.close()


class TestMutation:
    """Every policy is what keeps something shut, or open."""

    async def test_each_policy_widened_or_dropped_shows_in_what_is_seen(
        self, operator: Connection, stage: Stage
    ) -> None:
        """Of the tables about people: widening shows more, dropping shows less; none is without an effect."""
        policies = await operator.fetch(
            "select policyname, schemaname || '.' || tablename as relation, qual, roles::text[] as roles "
            "from pg_policies where schemaname || '.' || tablename = any ($1) and qual is not null",
            list(_TABLES),
        )
        before, idle = await _seen(operator, stage), list[str]()
        for policy in policies:
            doors = [door for door in READERS if f"{PREFIX}_{door}" in policy["roles"]]
            changes = [f"drop policy {policy['policyname']} on {policy['relation']}"]
            if policy["qual"] != "true":
                changes.append(f"alter policy {policy['policyname']} on {policy['relation']} using (true)")
            for change in changes if doors else ():
                step = operator.transaction()
                await step.start()
                await operator.execute(change)
                after = await _seen(operator, stage)
                await step.rollback()
                moved = {door for door, table in before if before[door, table] != after[door, table]}
                if not moved & set(doors):
                    idle.append(change)
        assert idle == [], chr(10).join(idle)

    async def test_each_door_sees_whom_it_may(self, operator: Connection, stage: Stage) -> None:
        """Ann herself; Ann and Bob for those who count; Cal only where a sweep needs him."""
        seen = await _seen(operator, stage)
        for table in ("scoring.link", "scoring.live", "scoring.record", "scoring.standing"):
            assert seen["citizen", table] == 1, table
            assert seen["scorer", table] == 2, table
            assert seen["jobs", table] == (3 if ("jobs", table) in _ALL else 2), table
        assert (seen["citizen", "auth.citizen"], seen["citizen", "auth.consent"]) == (1, 2)


_OTHERS = "'{b}'::uuid"
HOSTILE = [  # in each, the table and its column are ours
    "select * from {table} where {owner} = " + _OTHERS,
    "select count(*) from {table} where {owner} = " + _OTHERS + " or true = (select pg_sleep(0) is null)",
    "update {table} set {owner} = {owner} where {owner} = " + _OTHERS,
    "delete from {table} where {owner} = " + _OTHERS,
    "set local row_security = off; select * from {table} where {owner} = " + _OTHERS,
]
_OWNED = [
    ("auth.consent", "citizen_id"), ("auth.consent_event", "citizen_id"), ("auth.citizen", "id"),
    ("auth.session", "citizen_id"), ("scoring.link", "citizen_id"), ("scoring.standing", "citizen_id"),
    ("scoring.standing_change", "citizen_id"), ("scoring.refusal", "citizen_id"), ("keys.person_key", "owner"),
    ("core.audit_entry", "owner"), ("incentives.credit_code", "citizen_id"), ("auth.source_subject", "citizen_id"),
]  # fmt: skip
_FORGED = (
    "insert into core.audit_entry (id, at, actor_kind, actor, action, purpose, outcome, owner) "
    "values (gen_random_uuid(), now(), "
)
SPOOFS = [
    "set role {prefix}_gate",
    "set role {prefix}_eraser",
    "set session authorization {prefix}_jobs",
    "reset role; set role {prefix}_scorer",
    _FORGED + "'citizen', 'self', 'x', 'x', 'x', {b})",
    _FORGED + "'staff', 's', 'x', 'x', 'x', {a})",
    "insert into auth.consent_end (consent_id, reason, at) select gen_random_uuid(), 'withdrawn', now()",
    "create table x (a int)",
    "create temporary table x (a int)",
    "create function x() returns int language sql return 1",
    "alter table scoring.standing disable row level security",
    "drop policy citizen on scoring.standing",
    "copy scoring.standing to program 'cat'",
    "select * from auth.token",
    "select hash from auth.session",
    "select pg_read_file('postgresql.conf')",
]
NO_MORE = [
    "select set_config('app.proof', '', true)",
    "select set_config('app.proof', repeat('00', 32), true)",
    "select set_config('app.behalf', gen_random_uuid()::text, true)",
]


@pytest_asyncio.fixture
async def ann(stage: Stage, ring: Keyring) -> AsyncIterator[Connection]:
    """The citizen door's real login, standing as Ann, in a transaction that is rolled back."""
    doors = Doors(stage.url, ring, PREFIX, size=1)
    async with doors.engine("citizen").connect() as engine:
        raw = (await engine.get_raw_connection()).driver_connection
        assert raw is not None
        step = raw.transaction()
        await step.start()
        await raw.execute("select set_config('app.proof', $1, true)", stage.proof.hex())
        await raw.execute("select set_config('app.subject', $1, true)", stage.subject)
        yield raw
        await step.rollback()
    await doors.close()


class TestHostile:
    """Arbitrary SQL in a handler of the citizen's door."""

    @pytest.mark.parametrize("owned", _OWNED, ids=lambda owned: owned[0])
    @pytest.mark.parametrize("statement", HOSTILE)
    async def test_nothing_of_bob_is_reached(
        self, ann: Connection, stage: Stage, owned: tuple[str, str], statement: str
    ) -> None:
        """Refused, or no row."""
        table, owner = owned
        said = statement.format(table=table, owner=owner, **stage.people)
        *first, last = said.split("; ")
        try:
            for one in first:
                await ann.execute(one)
            rows = await ann.fetch(last) if last.startswith("select") else []
            told = "" if last.startswith("select") else await ann.execute(last)
        except asyncpg.InsufficientPrivilegeError:
            return
        assert [row for row in rows if tuple(row) != (0,)] == []
        assert told == "" or re.search(r" 0$", told)

    @pytest.mark.parametrize("statement", SPOOFS)
    async def test_nobody_becomes_somebody_else(self, ann: Connection, stage: Stage, statement: str) -> None:
        """No role, no forged entry, no table or function of one's own, no policy undone, no hash read."""
        quoted = {name: f"'{value}'::uuid" for name, value in stage.people.items()}
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidSchemaNameError)):
            await ann.execute(statement.format(prefix=PREFIX, **quoted))

    @pytest.mark.parametrize("setting", NO_MORE)
    async def test_a_setting_without_a_live_row_is_nobody(self, ann: Connection, setting: str) -> None:
        """Whoever changes the settings loses Ann and gains nobody."""
        await ann.execute(setting)
        assert await ann.fetchval("select auth.citizen_now()") is None
        for table in ("auth.citizen", "auth.consent", "scoring.link", "scoring.record", "scoring.standing"):
            assert await ann.fetchval(f"select count(*) from {table}") == 0

    async def test_erasing_leaves_who_consents_alone(self, ann: Connection, stage: Stage) -> None:
        """`erase_of` erases neither Bob, nor Ann while her consent lives, nor Cal, who is not the caller."""
        for who in stage.people.values():
            await ann.execute("select scoring.erase_of($1, $2)", who, stage.subject)
        assert await ann.fetchval("select count(*) from scoring.record") == 1
        assert await ann.fetchval("select count(*) from scoring.standing") == 1
        assert await ann.fetch("select * from scoring.thread_to_erase($1)", stage.people["b"]) == []


class TestFunctions:
    """What runs with another's rights."""

    async def test_every_definer_is_whole_and_of_a_role_that_row_security_binds(self, operator: Connection) -> None:
        """Owned by the gate or the eraser, parsed at creation or with its own path, called by nobody by default."""
        rows = await operator.fetch(
            "select proname, pg_get_userbyid(proowner) as owner, "
            "prosqlbody is not null or proconfig = array['search_path=pg_catalog, pg_temp'] as whole, "
            "proleakproof as leaky, "
            "exists (select from aclexplode(proacl) a where a.grantee = 0) or proacl is null as open "
            "from pg_proc where prosecdef and pronamespace::regnamespace::text = any ($1)",
            OURS,
        )
        assert {row["owner"] for row in rows} == {f"{PREFIX}_gate", f"{PREFIX}_eraser"}
        assert [row["proname"] for row in rows if not row["whole"] or row["leaky"] or row["open"]] == []

    async def test_nothing_goes_around_row_security(self, operator: Connection) -> None:
        """Views ask as their reader; nothing is materialised; no role of ours is more than a role."""
        assert (
            await operator.fetch(
                "select relname from pg_class where relnamespace::regnamespace::text = any ($1) and (relkind = 'm' or "
                "relkind = 'v' and not coalesce(reloptions::text like '%security_invoker=true%', false))",
                OURS,
            )
            == []
        )
        assert (
            await operator.fetch(
                "select rolname from pg_roles where rolname like $1 and (rolsuper or rolbypassrls or rolcreaterole "
                "or rolcreatedb or rolreplication or exists (select from pg_auth_members where member = pg_roles.oid) "
                "or exists (select from pg_class where relowner = pg_roles.oid) "
                "or has_database_privilege(oid, current_database(), 'temporary, create'))",
                f"{PREFIX}_%",
            )
            == []
        )

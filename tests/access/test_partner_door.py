"""Who may what, by the partner door's real login: two functions, and not a row besides.

By closure over the catalogue, not by sampling: whatever is added later is caught here.
"""

from collections.abc import AsyncIterator
from typing import TypeAlias
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from core import db, embedded
from core.keys import Keyring
from tests.clones import clone
from tests.conftest import PREFIX
from tests.gateworld import LIBRARY, World, world

CANARY = "canary-4711"
FUNCTIONS = [
    "incentives.act_on_order",
    "incentives.add_webhook",
    "incentives.admit",
    "incentives.answer_presentation",
    "incentives.ask_presentation",
    "incentives.check_each",
    "incentives.check_eligibilities",
    "incentives.check_eligibility",
    "incentives.check_once",
    "incentives.checks_of_caller",
    "incentives.confirm_plate",
    "incentives.counter_day",
    "incentives.counter_of",
    "incentives.counters_of_caller",
    "incentives.deliveries_of_caller",
    "incentives.end_counter",
    "incentives.ended_shares",
    "incentives.events_of_caller",
    "incentives.guarantee_of_caller",
    "incentives.make_counter",
    "incentives.open_counter",
    "incentives.open_once",
    "incentives.open_order",
    "incentives.order_lines",
    "incentives.orders_of_caller",
    "incentives.perks_of_caller",
    "incentives.plates_of_caller",
    "incentives.presentation_asked",
    "incentives.presentation_of_caller",
    "incentives.recognition_now",
    "incentives.remove_webhook",
    "incentives.replay_webhook",
    "incentives.rotate_webhook",
    "incentives.test_webhook",
    "incentives.trouble_presentation",
    "incentives.webhooks_of_caller",
]
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_DENIED = {"42501", "0LP01", "42P01", "3F000"}  # no right; no grant by members; a name that is not shown


@pytest_asyncio.fixture(scope="module")
async def url(cluster: embedded.Cluster, template: str) -> AsyncIterator[str]:
    """One clone for this file: nothing here changes anything."""
    async with clone(cluster, template) as made:
        yield made


@pytest_asyncio.fixture(scope="module")
async def city(url: str) -> AsyncIterator[World]:
    """A city with a canary: somebody with points, a code, records and a consent."""
    async with world(url) as laid:
        await laid.perk()
        citizen = await laid.citizen()
        await laid.code(citizen)
        await laid.share(citizen)
        await laid.do("update scoring.standing set tier = :canary", canary=CANARY)
        await laid.do("update auth.consent set receipt = :canary", canary=CANARY)
        yield laid


@pytest_asyncio.fixture
async def door(city: World, url: str, ring: Keyring) -> AsyncIterator[Connection]:
    """One connection of the partner door to the city, with its own role and password."""
    assert city
    doors = db.Doors(url, ring, PREFIX, size=1)
    pool = await doors.pool()
    async with pool.acquire() as connection:
        yield connection  # pyright: ignore[reportReturnType]  (a proxy of a connection)
    await doors.close()


class TestClosure:
    """Everything in the catalogue."""

    async def test_no_relation_can_be_read_or_written(self, door: Connection) -> None:
        """Tables, views, materialised views, partitions, foreign tables: nothing, not even a column."""
        open_ones = await door.fetch(
            "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind in ('r', 'v', 'm', 'p', 'f') and n.nspname not in ('pg_catalog', 'information_schema') "
            "and n.nspname not like 'pg_toast%' and (has_table_privilege(c.oid, "
            "'select, insert, update, delete, truncate, references, trigger, maintain') "
            "or has_any_column_privilege(c.oid, 'select, insert, update, references'))"
        )
        assert [row[0] for row in open_ones] == []

    async def test_no_sequence_can_be_used(self, door: Connection) -> None:
        """A sequence would tell how much happened."""
        open_ones = await door.fetch(
            "select oid::regclass::text from pg_class "
            "where case when relkind = 'S' then has_sequence_privilege(oid, 'usage, select, update') end"
        )
        assert open_ones == []

    async def test_exactly_two_functions_can_be_called(self, door: Connection) -> None:
        """Everything executable outside pg_catalog is on the list; PUBLIC's default would show here."""
        found = await door.fetch(
            "select n.nspname || '.' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
            "where n.nspname not in ('pg_catalog', 'information_schema') "
            "and has_function_privilege(p.oid, 'execute') and has_schema_privilege(n.oid, 'usage') order by 1"
        )
        assert [row[0] for row in found] == FUNCTIONS

    async def test_the_role_is_nobody(self, door: Connection) -> None:
        """No attribute, no membership, nothing owned, no place to create anything."""
        attributes = await door.fetchrow(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles "
            "where rolname = current_user"
        )
        assert attributes is not None
        assert not any(attributes.values())
        assert await door.fetchval("select count(*) from pg_auth_members where member = current_user::regrole") == 0
        assert await door.fetchval("select count(*) from pg_class where relowner = current_user::regrole") == 0
        assert await door.fetchval("select count(*) from pg_proc where proowner = current_user::regrole") == 0
        creatable = await door.fetch("select nspname from pg_namespace where has_schema_privilege(oid, 'create')")
        assert [row[0] for row in creatable if not row[0].startswith("pg_temp")] == []

    async def test_no_temporary_tables(self, door: Connection, template: str) -> None:
        """The migrated database lets nobody make temporary tables (a clone of it forgets, so the template is asked)."""
        assert not await door.fetchval("select has_database_privilege($1, 'temporary')", template)

    async def test_the_gate_is_nobody_either(self, door: Connection) -> None:
        """The functions' owner cannot log in, bypasses nothing, owns no relation, and nobody is a member."""
        gate = await door.fetchrow(
            "select oid, rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname = 'osmanthus_gate'"
        )
        assert gate is not None
        assert list(gate.values())[1:] == [False, False, False]
        assert await door.fetchval("select count(*) from pg_class where relowner = $1", gate["oid"]) == 0
        owned = await door.fetch("select pronamespace::regnamespace || '.' || proname from pg_proc where proowner = $1",
                                 gate["oid"])  # fmt: skip
        assert set(FUNCTIONS) <= {row[0] for row in owned}
        members = await door.fetch(
            "select member::regrole::text from pg_auth_members where roleid = $1 and (inherit_option or set_option)",
            gate["oid"],
        )
        assert members == []

    async def test_its_functions_bind_their_names_at_creation(self, door: Connection) -> None:
        """SECURITY DEFINER in the SQL-standard form, or with a path of its own: nobody's search_path decides."""
        found = await door.fetch(
            "select prosecdef, prosqlbody is not null or proconfig = array['search_path=pg_catalog, pg_temp'], "
            "proleakproof from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
            "where n.nspname = 'incentives' and has_function_privilege(p.oid, 'execute')"
        )
        assert {tuple(row.values()) for row in found} == {(True, True, False)}

    async def test_the_door_is_the_real_one(self, door: Connection) -> None:
        """These tests log in as the role that the product uses."""
        assert await door.fetchval("select session_user || ' ' || current_user") == (
            "osmanthus_partner osmanthus_partner"
        )


HOSTILE = [
    "select * from scoring.standing",
    "select points from scoring.standing limit 1",
    "select count(*) from auth.citizen",
    "select * from auth.consent",
    "select * from auth.live_consent",
    "select * from auth.token",
    "select * from incentives.credit_code",
    "select * from incentives.decision",
    "select * from core.audit_entry",
    "select * from core.release",
    "select * from core.short_claim",
    "select * from keys.person_key",
    "explain select * from scoring.standing where points > 1100",
    "explain analyze select count(*) from auth.consent",
    "copy scoring.standing to stdout",
    "table auth.session",
    "insert into core.audit_entry values (gen_random_uuid(), now(), 'x', 'x', 'x', 'x', 'x')",
    "insert into incentives.credit_code_use values ('\\x00', gen_random_uuid(), now())",
    "update scoring.standing set points = 2000",
    "delete from auth.consent_end",
    "truncate scoring.standing",
    "do $$ begin lock table scoring.standing in access exclusive mode; end $$",
    "create table incentives.mine (a int)",
    "create table public.mine (a int)",
    "create function public.mine() returns int language sql as 'select 1'",
    "create schema mine",
    "set role osmanthus_gate",
    "set role osmanthus_citizen",
    "set session authorization osmanthus_gate",
    "set local role operator",
    "alter role osmanthus_partner superuser",
    "alter function incentives.check_eligibility owner to osmanthus_partner",
    "grant osmanthus_gate to osmanthus_partner",
    "select core.civil_now()",
    "select nextval('auth.source_subject_seq')",
    "select pg_read_file('postgresql.conf')",
    "copy (select 1) to program 'true'",
    "select lo_import('/etc/passwd')",
    "select * from pg_authid",
    "select passwd from pg_shadow",
    "select stanullfrac from pg_statistic",
]


class TestHostileSql:
    """What an injection could try."""

    @pytest.mark.parametrize("statement", HOSTILE)
    async def test_it_is_denied(self, door: Connection, statement: str) -> None:
        """Each fails for want of a right (or of a name that can be seen), and never says the canary."""
        with pytest.raises(asyncpg.PostgresError) as caught:
            await door.fetch(statement)
        assert caught.value.sqlstate in _DENIED, caught.value
        assert CANARY not in repr(caught.value.as_dict())

    async def test_nobody_elses_session_is_seen_or_ended(self, door: Connection, city: World) -> None:
        """pg_terminate_backend reaches the door's own sessions alone."""
        await city.rows("select 1")
        ended = "select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await door.fetch(ended)

    @pytest.mark.parametrize(
        "source", ["pg_stats", "pg_stats_ext", "pg_stat_activity", "pg_views", "pg_locks", "information_schema.columns"]
    )
    async def test_the_system_views_tell_no_value(self, door: Connection, city: World, source: str) -> None:
        """Statistics and sessions show nothing of anybody."""
        await city.do("analyze")
        rows = await door.fetch(f"select row_to_json(each)::text from {source} each")
        assert CANARY not in repr(rows)
        if source.startswith("pg_stats"):
            ours = ("auth", "scoring", "incentives", "core", "keys")
            assert [row for row in rows if any(f'"schemaname":"{room}"' in row[0] for room in ours)] == []

    async def test_a_setting_is_no_proof(self, door: Connection, city: World) -> None:
        """Claiming to be somebody by a setting, an empty or a guessed token gives no row."""
        await door.execute("select set_config('app.client', 'p_library', false)")
        for token in (b"", b"\0" * 32, None):
            assert await door.fetch("select * from incentives.perks_of_caller($1)", token) == []
            rows = await door.fetch(
                "select * from incentives.check_eligibility($1, $2, null, null, null, null, null, '{}', "
                "gen_random_uuid(), 'dc', gen_random_uuid())",
                token,
                LIBRARY,
            )
            assert rows == []
        assert await city.rows("select 1 from core.audit_entry") == []


class TestLogin:
    """Passwords."""

    async def test_the_password_is_the_doors_own(self, cluster: embedded.Cluster, url: str, ring: Keyring) -> None:
        """Over TCP the door's password opens it; another door's password and none do not."""
        name = urlsplit(url).path.removeprefix("/")
        right, other = db.password(ring, "partner"), db.password(ring, "citizen")
        connection = await asyncpg.connect(cluster.door_dsn("osmanthus_partner", right, name))
        await connection.close()
        for wrong in (other, "x"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(cluster.door_dsn("osmanthus_partner", wrong, name))

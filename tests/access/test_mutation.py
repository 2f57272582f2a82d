"""Every policy of every table, taken away and widened in turn: what its role may see or do changes, or a wall is named.

In one clone, in one transaction that is rolled back. Rows of two people, old and fresh, lie in every table; each role
counts what it sees, deletes and updates, and tries to insert the like.
"""

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from tests.access.conftest import Stage
from tests.access.doors import BEHIND, OURS
from tests.conftest import PREFIX

_BARE = """
select format('alter table %s drop constraint %I cascade', conrelid::regclass, conname) from pg_constraint
where contype in ('c', 'f', 'u') and connamespace::regnamespace::text = any ($1)
"""
_COLUMNS = """
select attname as name, format_type(atttypid, null) as type from pg_attribute
where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = ''
  and ($2::text is null or has_column_privilege($2, attrelid, attnum, $3))
"""
_TABLES = """
select oid::regclass::text from pg_class
where relkind = 'r' and relrowsecurity and relnamespace::regnamespace::text = any ($1) order by 1
"""
_POLICIES = """
select policyname as name, schemaname || '.' || tablename as relation, cmd, qual, with_check, roles::text[] as roles
from pg_policies where schemaname = any ($1) order by 2, 1
"""
_VALUES = {
    "uuid": "gen_random_uuid()", "text": "'x'", "bytea": "uuid_send(gen_random_uuid())", "jsonb": "'{{}}'",
    "integer": "1", "smallint": "1", "bigint": "(random() * 1e9)::bigint", "boolean": "false", "text[]": "'{{}}'",
    "jobs.pgqueuer_status": "'queued'",
    "date": "(core.civil_now() at time zone 'Asia/Shanghai')::date + {days}",
    "interval": "'0'", "timestamp with time zone": "now() + interval '{days} days'",
}  # fmt: skip
_WHOSE = {"citizen_id", "owner", "proxy_id", "relative_id"}
# Words that policies ask for, beside 'x'.
_WORDS = {
    "purpose": ("records", "identity", "cases", "reports", "score", "occupational-report"),
    "role": ("partner", "staff"),
    "actor_kind": ("citizen", "source", "partner", "staff", "system", "anyone"), "status": ("active", "revoked"),
    "key": ("dpop:", "check|"),
    "action": ("credential.issue",),
    "actor": ("counter",), "caller": ("a-source", "a-staff"), "state": ("queued",), "by": ("source", "staff"),
}  # fmt: skip


def _row(columns: dict[str, str], table: str, who: str, days: int, word: tuple[str, str]) -> str:
    """An insert of one row of somebody's, as old as that, with one column saying a word."""
    said: dict[str, str] = {}
    for name, kind in columns.items():
        mine = name in _WHOSE or (table, name) == ("auth.citizen", "id")
        said[name] = f"'{who}'" if mine else _VALUES[kind].format(days=days)
        if name == word[0] and kind == "text":
            said[name] = f"'{word[1]}'"
        if name == "key" and kind == "text":
            said[name] = f"'{word[1] if word[0] == name else ''}' || gen_random_uuid()"
        if word[0] == "action" and name == "actor_kind":
            said[name] = "'citizen'"
        if table == "core.idempotency" and name == "caller" and word[1] == "x":
            said[name] = f"'{who}'"
        if table == "auth.token" and word[0] == "actor" and name in {"citizen_id", "grant_id", "family"}:
            said[name] = "null"
        if name in {"ended_at", "left_at", "revoked_at", "disabled_at", "reported_at", "closed_at"} and days > 0:
            said[name] = "null"
    named = ", ".join(f'"{name}"' for name in said)
    return f"insert into {table} ({named}) overriding system value values ({', '.join(said.values())})"


def _rows(columns: dict[str, str], table: str, people: list[str]) -> list[str]:
    words = [(name, word) for name, kind in columns.items() if kind == "text" for word in _WORDS.get(name, ())]
    return [
        _row(columns, table, who, days, word) for who in people for days in (-60, 1) for word in [("", "x"), *words]
    ]


# What hangs together: perks to come, a name, a use of Ann's code, no consent of Cal's, a source that Ann's share left,
# records that are suspended, disputes with a course, a record that somebody wants repaired.
_TIED = (
    "update incentives.perk set effective_on = now() + '9 days' where approved_at > now()",
    "update auth.citizen set id_digest = '\\x010001', sealed_profile = '\\x00' where id = '{b}'",
    "delete from incentives.credit_code_use",
    "insert into incentives.credit_code_use select hash, citizen_id, now() from incentives.credit_code",
    "insert into incentives.credit_code_use values ('x', gen_random_uuid(), now() - interval '60 days')",
    "delete from auth.consent where citizen_id = '{c}' and purpose = 'score' and expires_at > now()",
    "delete from auth.consent where citizen_id = '{c}' and purpose = 'occupational-report'",
    "insert into scoring.suspension (record_id, from_on, version) select id, '2020-01-01', 1 from scoring.record",
    "insert into scoring.pending select id, 'lawsuit', '2020-01-01', 'x', '' from scoring.record",
    "insert into scoring.dispute_event select id, 9, now(), 'x', 'x', 'x' from scoring.dispute",
    "insert into auth.consent_source_end select id, 's', now() from auth.consent where citizen_id = '{a}'",
    """update incentives.credential_copy set consent_id = (select max(id::text)::uuid from auth.consent
    where citizen_id = case when ended_at is null then '{a}'::uuid else '{b}'::uuid end)""",
    """update auth.consent set purpose = 'share:x/x' where id = (select max(id::text)::uuid from auth.consent
    where citizen_id = '{a}' and purpose = 'x' and expires_at > now())""",
    "update scoring.repair set record_id = (select id from scoring.record order by id limit 1)",
)


class Bench:
    """The operator's transaction in which roles are tried."""

    def __init__(self, connection: asyncpg.Connection, stage: Stage) -> None:
        """`connection` has begun."""
        self.connection, self.stage = connection, stage
        self.people = list(stage.people.values())

    async def tried(self, role: str | None, statement: str) -> str:
        """What a role gets to hear, undone: a command's tag, or the SQLSTATE."""
        step = self.connection.transaction()
        await step.start()
        try:
            if role is not None:
                await self.connection.execute(f"set local role {role}")
            return await self.connection.execute(statement)
        except asyncpg.PostgresError as error:
            return f"{error.sqlstate} {'row-level' in str(error)}"
        finally:
            await step.rollback()

    async def columns(self, table: str, role: str | None, kind: str) -> dict[str, str]:
        """The columns that a role may name."""
        return {row["name"]: row["type"] for row in await self.connection.fetch(_COLUMNS, table, role, kind)}

    async def outcome(self, table: str, role: str) -> list[str]:
        """All that a role can do with a table's rows."""
        behalf = "(select max(id::text) from auth.proxy)" if table == "auth.proxy" else "''"
        await self.connection.execute(f"select set_config('app.behalf', {behalf}, true)")
        seen, written = await self.columns(table, role, "select"), await self.columns(table, role, "update")
        found = [await self.tried(role, f"delete from {table}")]
        if seen:
            found.append(await self.tried(role, f"select {next(iter(seen))} from {table}"))
        for name, kind in written.items():
            to = f"'{self.people[1]}'" if name in _WHOSE else _VALUES[kind].format(days=1)
            found += [await self.tried(role, f"update {table} set {name} = {new}") for new in (name, to)]
        added = await self.columns(table, role, "insert")
        tries = _rows(added, table, self.people) if added else ()
        return found + [await self.tried(role, one) for one in tries]

    async def lay(self) -> None:
        """Rows of everybody's in every table, whatever constraints say."""
        for (statement,) in await self.connection.fetch(_BARE, OURS):
            await self.connection.execute(statement)
        await self.connection.execute("set local session_replication_role = replica")
        await self.connection.execute(
            "insert into auth.client "
            "(client_id, role, name, public, jwks, scopes, redirect_uris, kinds, perks, created_at) "
            "select 'a-' || role, role, 'x', false, '{}', '{}', '{}', '{}', '{}', now() "
            "from unnest(array['source', 'staff']) role"
        )
        for (table,) in await self.connection.fetch(_TABLES, OURS):
            columns = await self.columns(table, None, "select")
            for one in _rows(columns, table, self.people):
                step = self.connection.transaction()
                await step.start()
                try:
                    await self.connection.execute(one.replace("'1 days'", "'2 days'"))
                    await step.commit()
                except asyncpg.UniqueViolationError:
                    await step.rollback()
        await self.connection.execute("set local session_replication_role = origin")
        for statement in _TIED:
            await self.connection.execute(statement.format(**self.stage.people))


@pytest_asyncio.fixture
async def bench(stage: Stage) -> AsyncIterator[Bench]:
    """Laid, standing as Ann; rolled back."""
    connection = await asyncpg.connect(stage.url)
    outer = connection.transaction()
    await outer.start()
    made = Bench(connection, stage)
    try:
        await made.lay()
        await connection.execute("select set_config('app.proof', $1, true)", stage.proof.hex())
        await connection.execute("select set_config('app.subject', $1, true)", stage.subject)
        yield made
    finally:  # else what was laid keeps its locks, and the next test waits for them
        await outer.rollback()
        await connection.close()


def _changes(policy: asyncpg.Record) -> list[str]:
    """The policy dropped, and each half of it that says something widened."""
    at = f"{policy['name']} on {policy['relation']}"
    wider = [
        f"alter policy {at} {word} (true)"
        for word, held in (("using", policy["qual"]), ("with check", policy["with_check"]))
        if held not in {None, "true"}
    ]
    return [f"drop policy {at}", *wider]


# What else keeps shut what a policy keeps shut: two walls, of which this file takes away one at a time.
BEHIND_A_WALL = {
    "alter policy staff_changes on auth.client with check (true)": "closure: staff may not update a client's role",
    "drop policy everyone on keys.epoch": "closure: of the doors the jobs alone may read it, by a policy of theirs",
    # The owner of these tests is above row security; a lesser one needs them: tests/deploy/test_plain_owner.py.
    **{
        f"drop policy owner on {table}": "an owner above row security"
        for table in ("auth.client", "keys.epoch", "core.audit_entry", "core.audit_head", "core.assessment")
    },
}


class TestMutation:
    """Every policy."""

    async def test_each_policy_holds_something(self, bench: Bench) -> None:
        """None is without an effect for any of its roles, but for those in the table of walls."""
        idle, before = set[str](), dict[tuple[str, str], list[str]]()
        for policy in await bench.connection.fetch(_POLICIES, OURS):
            table = policy["relation"]
            roles = [role for role in policy["roles"] if role.startswith(f"{PREFIX}_")] or [f"{PREFIX}_citizen"]
            for role in roles:
                if (table, role) not in before:
                    before[table, role] = await bench.outcome(table, role)
            for change in _changes(policy):
                step = bench.connection.transaction()
                await step.start()
                await bench.connection.execute(change)
                after = {role: await bench.outcome(table, role) for role in roles}
                await step.rollback()
                if all(after[role] == before[table, role] for role in roles):
                    idle.add(change)
        assert idle == set(BEHIND_A_WALL), "\n".join(sorted(idle ^ set(BEHIND_A_WALL)))

    async def test_the_other_walls_stand(self, bench: Bench) -> None:
        """What the table of walls says of the closure holds: staff change no role, and the jobs alone read epochs."""
        role = await bench.columns("auth.client", f"{PREFIX}_staff", "update")
        assert "role" not in role
        readers = {door for door in BEHIND if await bench.columns("keys.epoch", f"{PREFIX}_{door}", "select")}
        assert readers == {"jobs"}

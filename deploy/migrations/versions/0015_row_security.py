"""Row-level security behind every door: who stands there, what they may do unseen, and which rows they are shown."""

from collections.abc import Iterator

from alembic import context, op

from core.postgres.migrate import statements

revision = "0015"
down_revision = "0014"

_SCHEMAS = ("keys", "core", "auth", "scoring", "incentives")

_POLICIES = f"select policyname, schemaname || '.' || tablename from pg_policies where schemaname in {_SCHEMAS}"


_DELETED = """
select c.oid::regclass::text from pg_class c
where c.relkind = 'r' and c.relnamespace::regnamespace::text in ('auth', 'incentives')
  and has_table_privilege('{}', c.oid, 'delete') order by 1
"""
_SEEN = "select exists (select from pg_policies where '{}' = any (roles) and schemaname || '.' || tablename = '{}')"


def upgrade() -> None:
    """Functions first, since policies ask them; then policies; then every table that has any is closed but for them."""
    role = context.config.attributes["role_prefix"]
    for file in ("0015_proof.sql", "0015_functions.sql", "0015_narrow.sql", "0015_policies.sql"):
        for statement in statements(file, role):
            op.execute(statement)
    for statement in _leaving(role):
        op.execute(statement)
    for table in sorted({table for _, table in _policies()}):
        op.execute(f"alter table {table} enable row level security, force row level security")


def _leaving(role: str) -> Iterator[str]:
    """Who leaves (auth.leave, migration 0013) is deleted by the eraser, and nobody else with them."""
    found = op.get_bind().exec_driver_sql(_DELETED.format(f"{role}_gate"))
    own = "citizen_id = (select auth.citizen_now())"
    for name in found.scalars().all():
        mine = "id = (select auth.citizen_now())" if name == "auth.citizen" else own
        yield f"grant select, delete on {name} to {role}_eraser"
        yield f"revoke delete on {name} from {role}_gate"
        yield f"create policy leaving on {name} to {role}_eraser using ({mine})"
        if not op.get_bind().exec_driver_sql(_SEEN.format(f"{role}_gate", name)).scalar():
            yield f"revoke select on {name} from {role}_gate"
    yield f"grant select on auth.session to {role}_eraser"
    yield f"create policy leaving on auth.session for select to {role}_eraser using ({own})"
    yield f"grant select, update (citizen_id) on incentives.decision to {role}_eraser"
    yield f"revoke update (citizen_id) on incentives.decision from {role}_gate"
    yield (
        f"create policy leaving on incentives.decision to {role}_eraser using ({own} or citizen_id is null) "
        "with check (citizen_id is null)"
    )


def downgrade() -> None:
    """Open the tables to their grants again, and give back the rights that the functions had taken over."""
    role = context.config.attributes["role_prefix"]
    for name, table in _policies():
        op.execute(f'drop policy "{name}" on {table}')
        op.execute(f"alter table {table} disable row level security, no force row level security")
    for statement in statements("0015_down.sql", role):
        op.execute(statement)


def _policies() -> list[tuple[str, str]]:
    """The name and table of every policy."""
    return [(name, table) for name, table in op.get_bind().exec_driver_sql(_POLICIES)]

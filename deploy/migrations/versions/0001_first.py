"""The first tables of every room, the doors and what each may do."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0001"
down_revision = None

_ROLES = ("auth", "citizen", "partner", "source", "scorer", "staff", "jobs")


def upgrade() -> None:
    """Make roles (shared by the cluster, so perhaps already there), tables and grants."""
    role = context.config.attributes["role_prefix"]
    for name, can in ((f"{role}_gate", "nologin"), *((f"{role}_{door}", "login") for door in _ROLES)):
        op.execute(
            f"do $$ begin if not exists (select from pg_roles where rolname = '{name}') then create role {name} {can}; "
            "end if; end $$"
        )
    for statement in (*statements("0001_tables.sql", role), *statements("0001_doors.sql", role)):
        op.execute(statement)


def downgrade() -> None:
    """Drop every schema; the roles stay, since other databases of the cluster may use them."""
    for schema in ("incentives", "scoring", "auth", "core", "keys"):
        op.execute(f"drop schema {schema} cascade")

"""The first tables of every room, the doors and what each may do."""

from collections.abc import Iterator
from pathlib import Path

from alembic import context, op

revision = "0001"
down_revision = None

_SQL = Path(__file__).parent.parent / "sql"
_ROLES = ("auth", "citizen", "partner", "source", "scorer", "staff", "jobs")


def _statements(name: str, role: str) -> Iterator[str]:
    for block in (_SQL / name).read_text().replace("{role}", role).split(";\n\n"):
        if statement := block.strip().removesuffix(";"):
            yield statement


def upgrade() -> None:
    """Make roles (shared by the cluster, so perhaps already there), tables and grants."""
    role = context.config.attributes["role_prefix"]
    for name, can in ((f"{role}_gate", "nologin"), *((f"{role}_{door}", "login") for door in _ROLES)):
        op.execute(
            f"do $$ begin if not exists (select from pg_roles where rolname = '{name}') then create role {name} {can}; "
            "end if; end $$"
        )
    for statement in (*_statements("0001_tables.sql", role), *_statements("0001_doors.sql", role)):
        op.execute(statement)


def downgrade() -> None:
    """Drop every schema; the roles stay, since other databases of the cluster may use them."""
    for schema in ("incentives", "scoring", "auth", "core", "keys"):
        op.execute(f"drop schema {schema} cascade")

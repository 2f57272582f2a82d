"""Row-level security behind every door."""

from collections.abc import Iterator
from pathlib import Path

from alembic import context, op

revision = "0015"
down_revision = "0014"

_SQL = Path(__file__).parent.parent / "sql"


def _statements(name: str, role: str) -> Iterator[str]:
    for block in (_SQL / name).read_text().replace("{role}", role).split(";\n\n"):
        if statement := block.strip().removesuffix(";"):
            yield statement


def upgrade() -> None:
    """Find out who stands at the citizen's door."""
    for statement in _statements("0015_proof.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take the functions away again."""
    role = context.config.attributes["role_prefix"]
    op.execute("drop function auth.consenting_now, auth.citizen_now")
    op.execute(f"revoke select on auth.session from {role}_gate")

"""Counters: assisted sessions, card-only people, proxies, relatives."""

from collections.abc import Iterator
from pathlib import Path

from alembic import context, op

_SQL = Path(__file__).parent.parent / "sql"

revision = "0012"
down_revision = "0011"


def _statements(name: str, role: str) -> Iterator[str]:
    for block in (_SQL / name).read_text().replace("{role}", role).split(";\n\n"):
        if statement := block.strip().removesuffix(";"):
            yield statement


def upgrade() -> None:
    """Make the tables and let the auth door work with them."""
    for statement in _statements("0012_counter.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Forget cards, proxies and who sat at which counter; live tokens of counters must not outlive that."""
    op.execute("delete from auth.token where actor is not null")
    for table in ("last_wish", "death", "proxy", "assisted", "spoken_code", "card"):
        op.execute(f"drop table auth.{table}")
    op.execute("alter table auth.token drop column actor")

"""Fifty counters are fifty, however many requests race."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    """Count under a lock."""
    _run("0044_counters.sql")


def downgrade() -> None:
    """Count without it."""
    _run("0044_down.sql")


def _run(file: str) -> None:
    for statement in statements(file, context.config.attributes["role_prefix"]):
        op.execute(statement)

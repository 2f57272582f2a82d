"""Persons at browsers: the office's clerks, and who sits at a partner's console or at the office's desk."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    """Two tables, which the auth door alone works with."""
    _run("0043_desks.sql")


def downgrade() -> None:
    """Forget who may sit where; tokens that stood behind them must not outlive that."""
    _run("0043_down.sql")


def _run(file: str) -> None:
    for statement in statements(file, context.config.attributes["role_prefix"]):
        op.execute(statement)

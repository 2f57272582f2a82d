"""Rehearsals of releases, their withdrawal, and what everybody is told at once."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Lay the table of rehearsals, and let a release be withdrawn before its day."""
    _run("0021_rehearsals.sql")


def downgrade() -> None:
    """Take it back; what was withdrawn, or released again for another day, is gone then."""
    _run("0021_down.sql")


def _run(file: str) -> None:
    for statement in statements(file, context.config.attributes["role_prefix"]):
        op.execute(statement)

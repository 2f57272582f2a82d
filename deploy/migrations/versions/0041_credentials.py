"""Credentials for other cities, and their status."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0041"
down_revision = "0040"


def upgrade() -> None:
    """Three tables, and the functions that redeem an offer, claim copies and say which count no more."""
    _run("0041_credentials.sql")


def downgrade() -> None:
    """Take them away."""
    _run("0041_down.sql")


def _run(file: str) -> None:
    for statement in statements(file, context.config.attributes["role_prefix"]):
        op.execute(statement)

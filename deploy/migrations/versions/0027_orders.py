"""Orders, step by step."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0027"
down_revision = "0026"

_PARTS = ("orders", "ledger", "course", "opening", "acting", "sides", "owners")


def upgrade() -> None:
    """Make the tables, the functions that alone write them, and the partner's way to them."""
    for part in _PARTS:
        for statement in statements(f"0027_{part}.sql", context.config.attributes["role_prefix"]):
            op.execute(statement)


def downgrade() -> None:
    """Take orders away; what was reserved is free again."""
    for statement in statements("0027_down.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)

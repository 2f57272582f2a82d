"""Days that a dispute has, as published; batches that are withdrawn, and what records said before."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Note the clocks of a dispute and when a batch was withdrawn; keep earlier versions beside a record."""
    for statement in statements("0031_clocks.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Forget all of it; records stay as they are."""
    for statement in statements("0031_down.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)

"""Credit repair."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the tables, and the functions through which staff check and decide."""
    for statement in statements("0018_repairs.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take them away; what citizens applied for goes with them, what was repaired stays so."""
    for statement in statements("0018_down.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)

"""What a payment channel was asked, and what it answered."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Three tables, a trigger on the steps of orders, and the functions around them."""
    _run("0039_channels.sql")


def downgrade() -> None:
    """Take them away; orders stay as they are."""
    _run("0039_down.sql")


def _run(file: str) -> None:
    for statement in statements(file, context.config.attributes["role_prefix"]):
        op.execute(statement)

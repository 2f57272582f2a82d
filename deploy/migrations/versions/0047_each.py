"""Checks that wait anyway are decided in one trip."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Add `check_each` beside `check_once`."""
    for statement in statements("0047_each.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take it away."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"grant {role}_gate to current_user")
    op.execute("drop function incentives.check_each")
    op.execute(f"revoke {role}_gate from current_user")

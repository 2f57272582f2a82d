"""An order spends its proof, counts and is opened in one trip, as a check does."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0045"
down_revision = "0044"


def upgrade() -> None:
    """Let `check_once` share what it spends and counts with `open_once`."""
    for statement in statements("0045_once.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Make `check_once` as it was, by itself."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"grant {role}_gate to current_user")
    for statement in statements("0034_once.sql", role):
        if "create function incentives.check_once(" in statement:
            op.execute(statement.replace("create function", "create or replace function"))
    op.execute("drop function incentives.open_once, incentives.overdrawn, incentives.spend")
    op.execute(f"revoke {role}_gate from current_user")

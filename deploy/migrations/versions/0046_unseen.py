"""People after their consent are held while something is done about their records, so that a renewal waits for it."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0046"
down_revision = "0045"

_BEFORE = {
    "0015_functions.sql": ("scoring.drop_moved(", "scoring.erase_of(", "scoring.erase_kind("),
    "0031_clocks.sql": ("scoring.withdraw_unseen(",),
}


def upgrade() -> None:
    """Let the functions that act unseen hold whom they act on, and one hold for those that look afterwards."""
    for statement in statements("0046_unseen.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Make them as they were; nobody is held."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"grant {role}_eraser to current_user")
    op.execute(f"grant create on schema scoring to {role}_eraser")
    for statement in statements("0046_down.sql", role):
        op.execute(statement)
    for file, names in _BEFORE.items():
        for statement in statements(file, role):
            if any(f"{verb} function {name}" in statement for verb in ("create", "alter") for name in names):
                op.execute(statement.replace("create function", "create or replace function"))
    op.execute("revoke all on function scoring.drop_moved, scoring.withdraw_unseen from public")
    op.execute(f"grant execute on function scoring.drop_moved, scoring.withdraw_unseen to {role}_scorer")
    op.execute(f"revoke create on schema scoring from {role}_eraser")
    op.execute(f"revoke {role}_eraser from current_user")

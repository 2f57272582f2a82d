"""The check in one place: `incentives.decide`, which a question alone, a list of them and an order all call."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0034"
down_revision = "0033"

_BEFORE = (("0026_gate.sql", ""), ("0027_opening.sql", "check_for_order'"), ("0028_batch.sql", ""))


def upgrade() -> None:
    """Make the one function, and let the three others call it."""
    for statement in statements("0034_checks.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Make the three as they were before 0033, and let that migration change them again."""
    _as_gate("drop function incentives.check_eligibilities")
    for file, only in _BEFORE:
        for statement in statements(file, context.config.attributes["role_prefix"]):
            if only in statement:
                _as_gate(statement)
    _as_gate("drop function incentives.decide, incentives.orders_against, incentives.waived_of")
    context.script.get_revision("0033").module.upgrade()


def _as_gate(statement: str) -> None:
    """Run a statement by whom the functions belong to, and who alone may change them."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"grant {role}_gate to current_user")
    op.execute(statement)
    op.execute(f"revoke {role}_gate from current_user")

"""The check in one place: `incentives.decide`, which a question alone, a list of them and an order all call."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0034"
down_revision = "0033"

_BEFORE = (("0026_gate.sql", ""), ("0027_opening.sql", "check_for_order'"), ("0028_batch.sql", ""))


def upgrade() -> None:
    """Make the one function, let the three others call it, and let one of them spend the proof of its request."""
    for file in ("0034_checks.sql", "0034_once.sql"):
        for statement in statements(file, context.config.attributes["role_prefix"]):
            op.execute(statement)


def downgrade() -> None:
    """Make the three as they were before 0033, and let that migration change them again."""
    role = context.config.attributes["role_prefix"]
    _as_gate("drop function incentives.check_once")
    for table in ("claim", "count", "epoch"):
        op.execute(f"drop policy gate on core.short_{table}")
        op.execute(f"revoke all on core.short_{table} from {role}_gate")
    _as_gate("drop function incentives.check_eligibilities")
    for file, only in _BEFORE:
        for statement in statements(file, role):
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

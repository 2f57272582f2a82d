"""Visitors from other cities."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0042"
down_revision = "0041"

_FUNCTIONS = (
    "recognition_now", "ask_presentation", "presentation_asked", "presentation_of_caller", "trouble_presentation",
    "answer_presentation",
)  # fmt: skip
_TABLES = ("shown_copy", "presentation", "trust_list")


def upgrade() -> None:
    """Three tables, and the functions through which alone the partner's door reaches them."""
    role = context.config.attributes["role_prefix"]
    for file in ("0042_tables.sql", "0042_visitors.sql"):
        for statement in statements(file, role):
            op.execute(statement)


def downgrade() -> None:
    """Take them away: a city without a trust list recognises nobody."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"grant {role}_gate to current_user")
    for name in _FUNCTIONS:
        op.execute(f"drop function incentives.{name}")
    op.execute(f"revoke {role}_gate from current_user")
    for name in _TABLES:
        op.execute(f"drop table incentives.{name}")

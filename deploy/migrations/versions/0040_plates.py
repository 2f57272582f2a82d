"""Plates as keyed digests; uploads of rides that do not wait for each other crosswise.

Of `settle_rides` one place is changed where it stands; a text that is not found is an error.
"""

from alembic import context, op
from sqlalchemy import text

from core.postgres.migrate import statements

revision = "0040"
down_revision = "0039"

_BEGINS = "  for one in\n    select distinct l.perk, l.release, l.day"
_LOCKS = "  perform incentives.lock_budgets(who, found.lines, found.said);\n"
_TABLES = "incentives.plate_list, incentives.plate_pair, incentives.plate"
_OURS = (
    "guarantors_of_citizen",
    "forget_plates",
    "confirm_plate",
    "plates_of_caller",
    "end_plates",
    "plates_alive",
    "lock_budgets",
)
_BEFORE = {"0030_teahouse.sql": "asker", "0036_settle.sql": "limit_rides"}


def upgrade() -> None:
    """Make tables and functions, and let settling lock its budgets first."""
    role = context.config.attributes["role_prefix"]
    for file in ("0040_plates.sql", "0040_rides.sql"):
        for statement in statements(file, role):
            op.execute(statement)
    op.execute(f"grant {role}_gate to current_user")
    _settle(_BEGINS, _LOCKS + _BEGINS)
    op.execute(f"revoke {role}_gate from current_user")


def downgrade() -> None:
    """Make the functions as they were, and take the tables away."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"grant {role}_gate to current_user")
    op.execute(f"grant create on schema incentives to {role}_gate")
    _settle(_LOCKS + _BEGINS, _BEGINS)
    for file, name in _BEFORE.items():
        for statement in statements(file, role):
            if f"create function incentives.{name}(" in statement:
                op.execute(statement.replace("create function", "create or replace function"))
    for name in _OURS:
        op.execute(f"drop function incentives.{name}")
    op.execute(f"revoke create on schema incentives from {role}_gate")
    op.execute(f"revoke {role}_gate from current_user")
    op.execute(f"drop table {_TABLES}")


def _settle(old: str, new: str) -> None:
    """Change one place of `settle_rides`."""
    definition = "select pg_get_functiondef('incentives.settle_rides'::regproc)"
    body = str(op.get_bind().exec_driver_sql(definition).scalar_one())
    if body.count(old) != 1:
        message = f"settle_rides is not the function that this migration knows: {old!r}"
        raise RuntimeError(message)
    op.execute(text(body.replace(old, new).replace(":", "\\:")))

"""Tickets bound to a day, passes with visits, lists of what a line may be called.

Functions of migrations 0027 and 0032 that differ by form are made anew. Of `open_order` two places are changed where
they stand, each of which occurs once; a text that is not found is an error, so nothing is changed by half.
"""

from collections.abc import Mapping

from alembic import context, op
from sqlalchemy import text

from core.postgres.migrate import statements

revision = "0038"
down_revision = "0036"

_BEGINS = "  if p_decision is null then\n"
_FIT = """  refused := incentives.unfit(rule, p_items, p_deposit, p_terminal, today);
  if refused is not null then
    return query select who, refused, jsonb_build_object('longest_days', rule.longest_days), null::jsonb;
    return;
  end if;
"""
# What downgrading makes as it was: the file, and what each of its functions is called.
_BEFORE = {
    "0027_opening.sql": ("new_order",),
    "0027_course.sql": ("show_order", "next_of", "unlink_order", "clock_order"),
    "0027_acting.sql": ("refuse_action", "do_action"),
    "0027_sides.sql": ("citizen_acts", "closing_orders"),
    "0032_statements.sql": ("order_lines",),
}
_AFTER = {"0027_acting.sql": ("orders_of_caller",)}  # it knows the columns of its day
_OURS = (
    "admission_of", "admit", "do_admission", "take_back", "count_visit", "refuse_admission", "refuse_reversal",
    "unlisted", "close_admission", "keep_admission", "show_admission", "date_ticket", "unfit", "give_part",
    "ticket_lines", "share_of", "refund_of", "day_at", "end_of", "form_of",
)  # fmt: skip


def upgrade() -> None:
    """Make columns, table and functions; let opening ask whether what is ordered can be."""
    for file in ("0038_visits.sql", "0038_course.sql", "0038_acting.sql", "0038_sides.sql"):
        _run(file)
    _reopen(_BEGINS, _FIT + _BEGINS)
    _run("0038_owners.sql")


def downgrade() -> None:
    """Make the functions as they were, and take the rest away."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"grant {role}_gate to current_user")
    op.execute(f"grant create on schema incentives to {role}_gate")
    _reopen(_FIT + _BEGINS, _BEGINS)
    _again(_BEFORE)
    for name in _OURS:
        op.execute(f"drop function incentives.{name}")
    _run("0038_down.sql")
    _again(_AFTER)
    op.execute(f"revoke create on schema incentives from {role}_gate")
    op.execute(f"revoke {role}_gate from current_user")


def _again(files: Mapping[str, tuple[str, ...]]) -> None:
    """Make functions as the migration before said them."""
    for file, names in files.items():
        for statement in statements(file, context.config.attributes["role_prefix"]):
            if any(f"create function incentives.{name}(" in statement for name in names):
                op.execute(statement.replace("create function", "create or replace function"))


def _reopen(old: str, new: str) -> None:
    """Change one place of `open_order`."""
    definition = "select pg_get_functiondef('incentives.open_order'::regproc)"
    body = str(op.get_bind().exec_driver_sql(definition).scalar_one())
    if body.count(old) != 1:
        message = f"open_order is not the function that this migration knows: {old!r}"
        raise RuntimeError(message)
    op.execute(text(body.replace(old, new).replace(":", "\\:")))


def _run(file: str) -> None:
    for statement in statements(file, context.config.attributes["role_prefix"]):
        op.execute(statement)

"""Counters without a system of their own."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0030"
down_revision = "0029"

_FUNCTIONS = ("make_counter", "counters_of_caller", "end_counter", "open_counter", "counter_of", "counter_day", "asker")


def upgrade() -> None:
    """Lay the table of counters and the functions that open, keep and end them."""
    for statement in statements("0030_teahouse.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take them away; every counter is over then."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"drop function {', '.join(f'incentives.{name}' for name in _FUNCTIONS)}")
    op.execute("drop table incentives.counter")
    op.execute("drop policy gate_counter on auth.token")
    op.execute("drop policy gate_counter_reads on auth.token")
    op.execute("drop policy gate_counter_ends on auth.token")
    op.execute(f"revoke insert, update (revoked_at) on auth.token from {role}_gate")
    op.execute("delete from auth.token where actor = 'counter'")

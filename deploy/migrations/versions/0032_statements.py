"""Orders in the day's statement; the quarter's measures."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Two functions over the steps of orders, and a table of reports."""
    for statement in statements("0032_statements.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take them away; reports are made anew."""
    op.execute("drop table incentives.measure_report")
    op.execute("drop function incentives.order_lines, incentives.measures")
    op.execute("drop index incentives.ix_order_step_partner_id_at")

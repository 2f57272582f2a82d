"""Disputes and suspensions."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Make the tables, and the functions through which clerks and sources open what citizens wrote."""
    for statement in statements("0017_disputes.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take them away; what citizens objected goes with them, and what was suspended counts again."""
    role = context.config.attributes["role_prefix"]
    op.execute("drop function scoring.told_disputes, scoring.open_dispute")
    op.execute("drop policy gate_for_sources on core.audit_entry")
    op.execute("drop policy scorer_looks on scoring.statement")
    op.execute("drop policy scorer on scoring.statement")
    op.execute(f"revoke select, insert on scoring.statement from {role}_scorer")
    op.execute("drop table scoring.pending, scoring.dispute_event, scoring.dispute, scoring.suspension")
    op.execute("update scoring.record set status = 'active' where status = 'disputed'")

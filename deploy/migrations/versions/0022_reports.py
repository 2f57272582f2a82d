"""Reports that can be verified; the occupational record class."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Make the tables, their policies and the gate functions."""
    for statement in statements("0022_reports.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take them away; reports that were issued cannot be checked any more."""
    functions = ("career_people", "career_subjects", "keep_career", "end_career")
    op.execute(f"drop function auth.check_report, {', '.join(f'scoring.{name}' for name in functions)}")
    op.execute("drop policy gate_anyone on core.audit_entry")
    op.execute("drop policy gate_reports on keys.person_key")
    role = context.config.attributes["role_prefix"]
    op.execute("drop policy jobs on scoring.batch")
    op.execute(f"revoke select (source, received, accepted, received_at) on scoring.batch from {role}_jobs")
    op.execute(
        "drop table scoring.statistic, scoring.report, scoring.career_record, scoring.career_source, scoring.career"
    )

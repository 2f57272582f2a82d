"""The partner door's gate: dated perks, decisions that can be repeated, and the two functions."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Date the perks, widen the decisions, and put the functions between them and the partner door."""
    for statement in statements("0005_gate.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take the gate away again; perks must be approved anew."""
    role = context.config.attributes["role_prefix"]
    op.execute("drop function incentives.perks_of_caller, incentives.check_eligibility")
    op.execute(
        "alter table incentives.decision drop column consent_id, drop column release_id, drop column reason, "
        "drop column key, drop column round, drop column input"
    )
    op.execute("drop table incentives.perk")
    op.execute(
        "create table incentives.perk (perk_id text constraint pk_perk primary key, release_id uuid not null, "
        "threshold integer not null)"
    )
    op.execute(f"grant select, insert, update, delete on incentives.perk to {role}_staff")
    op.execute(f"grant select on incentives.perk to {role}_citizen, {role}_gate, {role}_jobs")
    op.execute(f"revoke select on core.release from {role}_gate")
    op.execute(f"revoke delete on incentives.credit_code from {role}_citizen")
    op.execute(f"revoke select (client_id, role, perks, disabled_at) on auth.client from {role}_staff")
    op.execute(f"revoke usage on schema auth from {role}_staff")

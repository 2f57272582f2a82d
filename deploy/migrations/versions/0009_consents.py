"""Consents as ISO/IEC TS 27560 records with their events, and the partner's daily statement."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """What was erased when becomes an event of its own."""
    for statement in statements("0009_consents.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Put the instants of erasure back beside the ends; what else the events say is lost."""
    role = context.config.attributes["role_prefix"]
    op.execute("alter table auth.consent_end add column erased_at timestamptz")
    op.execute(
        "update auth.consent_end e set erased_at = v.at from auth.consent_event v "
        "where v.consent_id = e.consent_id and v.state = 'erased'"
    )
    op.execute(f"grant update (erased_at) on auth.consent_end to {role}_citizen, {role}_jobs")
    op.execute("drop function incentives.ended_shares")
    op.execute("drop table auth.consent_event")
    op.execute("drop index auth.ix_consent_end_at")
    op.execute("alter table auth.consent drop column processing")

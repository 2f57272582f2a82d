"""When a record's status last changed, the words of traces, and the ways by which merges and sweeps find their rows."""

from alembic import context, op

revision = "0004"
down_revision = "0002"

_LIVE_CONSENT = """
create or replace view auth.live_consent with (security_invoker = true) as
  select c.id, c.citizen_id, c.purpose, c.one_use, c.sources, c.subject, c.given_at, c.expires_at
  from auth.consent c
  left join auth.consent_end e on e.consent_id = c.id
  where e.consent_id is null and c.expires_at > {}
"""


def upgrade() -> None:
    """Records that are already there take the instant of their receipt."""
    role = context.config.attributes["role_prefix"]
    # As a subquery the clock is read once a statement, not once a row.
    op.execute(_LIVE_CONSENT.format("(select core.civil_now())"))
    op.execute(
        "create table scoring.trace_words (name bytea constraint pk_trace_words primary key, body bytea not null)"
    )
    op.execute(f"grant select, insert on scoring.trace_words to {role}_citizen, {role}_scorer, {role}_jobs")
    op.execute("alter table scoring.record add column status_at timestamptz")
    op.execute("update scoring.record set status_at = received_at")
    op.execute("alter table scoring.record alter column status_at set not null")
    op.execute("create index ix_record_revoked on scoring.record (status_at) where status = 'revoked'")
    op.execute("create index ix_live_until on scoring.live (until)")
    op.execute("alter table scoring.staging drop constraint pk_staging")
    op.execute("alter table scoring.staging add constraint pk_staging primary key (batch_id, citizen_id, line)")


def downgrade() -> None:
    """Forget the instants and the words; traces that were written with them cannot be read any more."""
    op.execute("drop table scoring.trace_words")
    op.execute(_LIVE_CONSENT.format("core.civil_now()"))
    op.execute("alter table scoring.staging drop constraint pk_staging")
    op.execute("alter table scoring.staging add constraint pk_staging primary key (batch_id, line)")
    op.execute("drop index scoring.ix_live_until")
    op.execute("drop index scoring.ix_record_revoked")
    op.execute("alter table scoring.record drop column status_at")

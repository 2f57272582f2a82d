"""When a record's status last changed, and the ways by which merges and sweeps find their rows."""

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = max(file.name[:4] for file in Path(__file__).parent.glob("000[2-3]_*.py"))


def upgrade() -> None:
    """Records that are already there take the instant of their receipt."""
    op.execute("alter table scoring.record add column status_at timestamptz")
    op.execute("update scoring.record set status_at = received_at")
    op.execute("alter table scoring.record alter column status_at set not null")
    op.execute("create index ix_record_revoked on scoring.record (status_at) where status = 'revoked'")
    op.execute("create index ix_live_until on scoring.live (until)")
    op.execute("create index ix_staging_batch_id_citizen_id on scoring.staging (batch_id, citizen_id)")


def downgrade() -> None:
    """Forget the instants."""
    op.execute("drop index scoring.ix_staging_batch_id_citizen_id")
    op.execute("drop index scoring.ix_live_until")
    op.execute("drop index scoring.ix_record_revoked")
    op.execute("alter table scoring.record drop column status_at")

"""Sources: drops, pulls, clocks, quality."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Lay the tables of what sources send, and of what they are asked."""
    for statement in statements("0020_feeds.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take them back."""
    role = context.config.attributes["role_prefix"]
    op.execute("drop policy staff on scoring.batch")
    op.execute(f"revoke select on scoring.batch from {role}_staff")
    op.execute("drop table scoring.history_pull, scoring.feed_count, scoring.batch_rejection")
    op.execute("delete from auth.client_change where kind = 'address'")
    op.execute("alter table auth.client_change drop constraint ck_client_change_kind")
    op.execute(
        "alter table auth.client_change "
        "add constraint ck_client_change_kind check (kind in ('register', 'keys', 'enable'))"
    )
    op.execute("drop index auth.ix_source_subject_source_changed_at")
    op.execute(f"revoke select (addresses), update (addresses) on auth.client from {role}_staff")
    op.execute("alter table auth.client drop column addresses")
    op.execute("alter table scoring.staging drop column dated_on")
    op.execute("alter table scoring.record drop column line, drop column dated_on")
    op.execute("alter table scoring.batch drop column via, drop column form, drop column name")

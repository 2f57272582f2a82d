"""Events, where they are told, and the queue of what is sent."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0025"
down_revision = "0024"

_CLOSED = (
    "jobs.pgqueuer",
    "jobs.pgqueuer_log",
    "jobs.pgqueuer_schedules",
    "jobs.pgqueuer_statistics",
    "incentives.event",
    "incentives.webhook",
    "incentives.delivery",
    "incentives.delivery_attempt",
)

_FUNCTIONS = (
    "emit",
    "events_of_caller",
    "add_webhook",
    "webhooks_of_caller",
    "remove_webhook",
    "rotate_webhook",
    "test_webhook",
    "replay_webhook",
    "deliveries_of_caller",
    "ordering_client",
)


def upgrade() -> None:
    """Lay pgqueuer's own tables, then ours, and close them all to whom no policy lets in."""
    role = context.config.attributes["role_prefix"]
    op.execute("create schema jobs")
    for file in ("0025_queue.sql", "0025_events.sql"):
        for statement in statements(file, role):
            op.execute(statement)
    for table in _CLOSED:
        op.execute(f"alter table {table} enable row level security, force row level security")


def downgrade() -> None:
    """Forget what was to be sent, and what was told."""
    op.execute(f"drop function {', '.join(f'incentives.{name}' for name in _FUNCTIONS)}")
    op.execute("drop table incentives.delivery_attempt, incentives.delivery, incentives.webhook, incentives.event")
    op.execute("drop schema jobs cascade")

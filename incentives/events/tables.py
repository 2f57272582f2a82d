"""Tables of events and of their way out; pgqueuer's own (schema `jobs`) are held equal to its DDL by a test."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.tables import INSTANT, metadata

# What a partner is told; thin. `turn` and `position` order the list (migration 0025 says why).
event = sa.Table(
    "event",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("position", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("partner_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("data", JSONB, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("turn", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("partner_id", "object", "seq"),
    sa.Index(None, "partner_id", "turn", "position"),
    sa.Index(None, "at"),
    schema="incentives",
)

# Where a partner wants to be told. Secrets are derived from the master key, `id` and `serial`; the one before `serial`
# signs as well until `old_until`.
webhook = sa.Table(
    "webhook",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("partner_id", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("types", ARRAY(sa.Text)),
    sa.Column("serial", sa.SmallInteger, nullable=False, server_default=sa.text("1")),
    sa.Column("old_until", INSTANT),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("disabled_at", INSTANT),
    sa.Column("paused_until", INSTANT),
    sa.Column("failing_since", INSTANT),
    sa.Column("seq", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.UniqueConstraint("partner_id", "url"),
    schema="incentives",
)

# One event for one webhook. `attempts` in this course, `tried` ever, `starts` since the last attempt that ended.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("webhook_id", sa.Uuid, sa.ForeignKey(webhook.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("event_id", sa.Uuid, sa.ForeignKey(event.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("course", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("attempts", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("tried", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("starts", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("next_at", INSTANT, nullable=False),
    sa.Column("changed_at", INSTANT, nullable=False),
    sa.UniqueConstraint("webhook_id", "event_id"),
    sa.Index(None, "event_id"),
    sa.Index(None, "next_at", postgresql_where=sa.text("state = 'waiting'")),
    schema="incentives",
)

# What came of one attempt: a status, never a body.
delivery_attempt = sa.Table(
    "delivery_attempt",
    metadata,
    sa.Column("delivery_id", sa.Uuid, sa.ForeignKey(delivery.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("status", sa.SmallInteger),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("millis", sa.Integer, nullable=False),
    schema="incentives",
)

# A quarter's report of incentive measures, as it was made.
measure_report = sa.Table(
    "measure_report",
    metadata,
    sa.Column("quarter", sa.Text, primary_key=True),
    sa.Column("made_at", INSTANT, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    schema="incentives",
)

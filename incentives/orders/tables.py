"""Tables of orders: the course as the gate functions ask it, orders and their steps, exposure, used budgets.

Only gate functions write here (migrations 0027, 0038). `inverses` says, oldest first, how to take back what the order
still holds: for every holder and every budget, what is used is the sum of what orders can still give back.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.tables import INSTANT, metadata

order_state = sa.Table(
    "order_state",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("final", sa.Boolean, nullable=False),
    sa.Column("keeps", sa.Text, nullable=False),
    sa.Column("after_hours", sa.Integer),
    sa.Column("event", sa.Text),
    sa.Column("at_leaving", sa.Text),
    schema="incentives",
)

order_move = sa.Table(
    "order_move",
    metadata,
    sa.Column("state", sa.Text, primary_key=True),
    sa.Column("event", sa.Text, primary_key=True),
    sa.Column("by", ARRAY(sa.Text), nullable=False),
    sa.Column("into", sa.Text, nullable=False),
    sa.Column("forms", ARRAY(sa.Text), nullable=False, server_default="{plain}"),
    schema="incentives",
)

# `object`: its id as partners read it. Amounts in fen. `clock_at`, `clock_event`: what happens next by itself.
# `share_id`: the standing consent by which it was opened; none when a code was shown. Without `citizen_id` it is
# unlinked, or was never anybody's. `visit_on` makes it a ticket, `admission` (the perk's, as it was sold) a pass;
# `number` is what its text at a gate says, `visits` how often a pass was used.
perk_order = sa.Table(
    "perk_order",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("object", sa.Text, nullable=False),
    sa.Column("partner_id", sa.Text, nullable=False),
    sa.Column("out_order_no", sa.Text, nullable=False),
    sa.Column("perk_id", sa.Text, nullable=False),
    sa.Column("release_id", sa.Uuid),
    sa.Column("citizen_id", sa.Uuid),
    sa.Column("share_id", sa.Uuid),
    sa.Column("decision_id", sa.Uuid, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("waived", sa.BigInteger, nullable=False),
    sa.Column("payable", sa.BigInteger, nullable=False),
    sa.Column("risk", sa.BigInteger, nullable=False),
    sa.Column("items", JSONB),
    sa.Column("terminal", sa.Text),
    sa.Column("inverses", JSONB, nullable=False),
    sa.Column("opened_at", INSTANT, nullable=False),
    sa.Column("since", INSTANT, nullable=False),
    sa.Column("start_by", INSTANT, nullable=False),
    sa.Column("planned_end", INSTANT),
    sa.Column("longest_days", sa.Integer, nullable=False),
    sa.Column("started_at", INSTANT),
    sa.Column("returned_at", INSTANT),
    sa.Column("evidence", JSONB),
    sa.Column("charge", sa.BigInteger),
    sa.Column("lines", JSONB),
    sa.Column("reversed", sa.BigInteger, nullable=False),
    sa.Column("forgiven", sa.BigInteger, nullable=False),
    sa.Column("paid", sa.BigInteger, nullable=False),
    sa.Column("disputed_for", sa.Text),
    sa.Column("answer", sa.Text),
    sa.Column("reminders", sa.SmallInteger, nullable=False),
    sa.Column("close_by", INSTANT),
    sa.Column("clock_at", INSTANT),
    sa.Column("clock_event", sa.Text),
    sa.Column("visit_on", sa.Date),
    sa.Column("admission", JSONB),
    sa.Column("number", sa.LargeBinary),
    sa.Column("visits", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.UniqueConstraint("partner_id", "out_order_no"),
    sa.UniqueConstraint("decision_id"),
    sa.Index(None, "partner_id", "opened_at", "id"),
    sa.Index(None, "citizen_id", "perk_id", postgresql_where=sa.text("citizen_id is not null")),
    sa.Index(None, "clock_at", postgresql_where=sa.text("clock_at is not null")),
    sa.Index(None, "number", unique=True, postgresql_where=sa.text("number is not null")),
    schema="incentives",
)

# One row a step; with `key` the step that answered an Idempotency-Key: `input` are digests, `shown` what was answered.
# `amount`: fen that the step moved (waived, charged, taken back, paid).
order_step = sa.Table(
    "order_step",
    metadata,
    sa.Column("order_id", sa.Uuid, primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("partner_id", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("amount", sa.BigInteger),
    sa.Column("key", sa.Text),
    sa.Column("input", JSONB),
    sa.Column("shown", JSONB),
    sa.UniqueConstraint("partner_id", "key"),
    sa.Index(None, "partner_id", "at"),
    schema="incentives",
)

# What a holder's orders of a perk hold now; the row that opening takes first.
exposure = sa.Table(
    "exposure",
    metadata,
    sa.Column("citizen_id", sa.Uuid, primary_key=True),
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("orders", sa.Integer, nullable=False),
    sa.Column("waived", sa.BigInteger, nullable=False),
    schema="incentives",
)

# What is used of a budget in a period (`2026-11-22`, `2026-11`, `2026`, `ever`); `holder`: partner, zone, citizen.
budget_use = sa.Table(
    "budget_use",
    metadata,
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("per", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, primary_key=True),
    sa.Column("period", sa.Text, primary_key=True),
    sa.Column("orders", sa.BigInteger, nullable=False),
    sa.Column("waived", sa.BigInteger, nullable=False),
    schema="incentives",
)

# A visit by a pass, counted once, whoever says it how often.
visit = sa.Table(
    "visit",
    metadata,
    sa.Column("partner_id", sa.Text, primary_key=True),
    sa.Column("visit_id", sa.Text, primary_key=True),
    sa.Column("order_id", sa.Uuid, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Index(None, "order_id", "day"),
    schema="incentives",
)

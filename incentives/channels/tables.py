"""Tables of pay channels: which perks have one, what is known of each order there, and every call with its number."""

import sqlalchemy as sa

from core.tables import INSTANT, metadata
from incentives.orders.tables import perk_order

# What the operator's file of accounts says, without its keys.
guarantor = sa.Table(
    "guarantor",
    metadata,
    sa.Column("partner_id", sa.Text, primary_key=True),
    sa.Column("perk_id", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    schema="incentives",
)

# Amounts in fen, as the last query found; migration 0039 says what the columns are.
channel_order = sa.Table(
    "channel_order",
    metadata,
    sa.Column("order_id", sa.Uuid, sa.ForeignKey(perk_order.c.id), primary_key=True),
    sa.Column("partner_id", sa.Text, nullable=False),
    sa.Column("perk_id", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("stage", sa.Text, nullable=False, server_default="none"),
    sa.Column("held", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("fund", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("charged", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("paid", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("elsewhere", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("recorded", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("turn", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("theirs", sa.Text, nullable=False, server_default=""),
    sa.Column("trade", sa.Text, nullable=False, server_default=""),
    sa.Column("launch", sa.Text),
    sa.Column("wakes", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("idle", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("looks", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("busy_until", INSTANT),
    sa.Column("next_at", INSTANT),
    sa.Column("parked", sa.Text),
    sa.UniqueConstraint("number"),
    sa.Index(None, "next_at", postgresql_where=sa.text("next_at is not null")),
    schema="incentives",
)

# `digest`: SHA-256 of the answer; what it said of the payer is kept nowhere.
channel_call = sa.Table(
    "channel_call",
    metadata,
    sa.Column("order_id", sa.Uuid, sa.ForeignKey(channel_order.c.order_id), primary_key=True),
    sa.Column("request", sa.Text, primary_key=True),
    sa.Column("verb", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("times", sa.SmallInteger, nullable=False),
    sa.Column("asked_at", INSTANT, nullable=False),
    sa.Column("known_at", INSTANT),
    sa.Column("outcome", sa.Text),
    sa.Column("said", sa.Text),
    sa.Column("digest", sa.LargeBinary),
    schema="incentives",
)

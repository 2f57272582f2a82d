"""The table of the ledger's events; the consents themselves and their ends stand in `auth.tables`.

Append-only: doors may insert and select, nobody updates or deletes.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from core.tables import INSTANT, metadata

consent_event = sa.Table(
    "consent_event",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("consent_id", sa.Uuid, sa.ForeignKey("auth.consent.id")),
    sa.Column("citizen_id", sa.Uuid, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False, server_default=""),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("acr", sa.SmallInteger),
    sa.Column("auth_time", INSTANT),
    sa.Column("evidence", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("receipt", sa.Text),
    sa.CheckConstraint(
        "state in ('given', 'renewed', 'source_dropped', 'withdrawn', 'expired', 'outdated', 'superseded', 'erased', "
        "'reminded', 'refused', 'told')",
        name="state",
    ),
    sa.CheckConstraint("(consent_id is null) = (state = 'refused')", name="refused_alone"),
    sa.Index(None, "consent_id"),
    sa.Index(None, "citizen_id", "purpose"),
    sa.Index(
        "uq_consent_event_once",
        "consent_id",
        "state",
        "about",
        unique=True,
        postgresql_where=sa.text("state in ('reminded', 'told', 'erased', 'source_dropped')"),
    ),
    schema="auth",
)

"""Tables of floor 1, and the one metadata that every room's tables hang in.

Columns named `sealed` or `wrapped` hold ciphertext of `core.sealed`; nothing decrypts on load.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

INSTANT = sa.DateTime(timezone=True)

# A random key per person and purpose, wrapped by an epoch key that is kept outside the database.
person_key = sa.Table(
    "person_key",
    metadata,
    sa.Column("owner", sa.Uuid, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("epoch", sa.Integer, sa.ForeignKey("keys.epoch.number"), nullable=False, index=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    schema="keys",
)

# The epochs that live. Whatever hangs on an epoch refers to it, so the database itself refuses to let it go before.
epoch = sa.Table(
    "epoch",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("began_at", INSTANT, nullable=False),
    schema="keys",
)

# The record of each epoch that was destroyed. No door changes it.
destroyed_epoch = sa.Table(
    "destroyed_epoch",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("began_at", INSTANT, nullable=False),
    sa.Column("destroyed_at", INSTANT, nullable=False),
    sa.Column("destroyed_by", sa.Text, nullable=False),
    schema="keys",
)

# The erasure list: whose key for what was destroyed, and when. Applied after a restore, before the doors open.
erased = sa.Table(
    "erased",
    metadata,
    sa.Column("owner", sa.Uuid, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Index(None, "owner"),
    schema="keys",
)

_ONCE = ("kind", "name", "digest", "effective_on")

# Published rule book files: a draft by one person is put in force by another, who names the report of the rehearsal
# that they saw (its SHA-256, hex); what was withdrawn rules nothing, ever.
release = sa.Table(
    "release",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("effective_on", sa.Date, nullable=False),
    sa.Column("drafted_by", sa.Text, nullable=False),
    sa.Column("drafted_at", INSTANT, nullable=False),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", INSTANT),
    sa.Column("rehearsal", sa.Text),
    sa.Column("withdrawn_by", sa.Text),
    sa.Column("withdrawn_at", INSTANT),
    sa.CheckConstraint("approved_by <> drafted_by", name="two_persons"),
    sa.CheckConstraint("(approved_by is null) = (approved_at is null)", name="approved_whole"),
    sa.CheckConstraint("(withdrawn_by is null) = (withdrawn_at is null)", name="withdrawn_whole"),
    sa.Index("ix_release_once", *_ONCE, unique=True, postgresql_where=sa.text("withdrawn_at is null")),
    schema="core",
)

# Who did what, to whose data, why, and what came out. `owner` is the person whose data it is. `salt` keeps the leaf
# from being guessed, `xid` tells the sealer which transactions are over; neither is ever given by a writer.
audit_entry = sa.Table(
    "audit_entry",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("owner", sa.Uuid),
    sa.Column("detail", JSONB, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("salt", sa.LargeBinary, nullable=False, server_default=sa.text("uuid_send(gen_random_uuid())")),
    sa.Column("xid", sa.BigInteger, nullable=False, server_default=sa.text("(pg_current_xact_id()::text)::bigint")),
    sa.Index(None, "owner", "id", postgresql_where=sa.text("owner is not null")),
    sa.Index(None, "xid"),
    sa.Index(None, "at", postgresql_using="brin"),
    sa.Index("ix_audit_entry_everyone", "id", postgresql_where=sa.text("owner is null and action like 'everyone.%'")),
    schema="core",
)

# Where an entry stands in the sealed log: hashes alone, which outlive the entry.
audit_leaf = sa.Table(
    "audit_leaf",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entry_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    schema="core",
)

# Roots of complete subtrees of 2^level leaves, for every eighth level.
audit_node = sa.Table(
    "audit_node",
    metadata,
    sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
    schema="core",
)

# Signed heads; every entry of a transaction below `below_xid` was sealed by then.
audit_head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("below_xid", sa.BigInteger, nullable=False),
    schema="core",
)

# The first answer to a key, written in the same transaction as its effect.
idempotency = sa.Table(
    "idempotency",
    metadata,
    sa.Column("caller", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("route", sa.Text, nullable=False),
    sa.Column("input", JSONB, nullable=False),
    sa.Column("status", sa.SmallInteger),
    sa.Column("body", sa.LargeBinary),
    sa.Column("created_at", INSTANT, nullable=False),
    schema="core",
)

# One row at most: how far a sandbox moved the civil clock.
civil_offset = sa.Table(
    "civil_offset",
    metadata,
    sa.Column("one", sa.Boolean, sa.CheckConstraint("one", name="one_row"), primary_key=True),
    sa.Column("moved", sa.Interval, nullable=False),
    schema="core",
)

# Which days are worked, for the years whose notice is known; `source` names the notice, `version` counts its editions.
workday = sa.Table(
    "workday",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("is_workday", sa.Boolean, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("version", sa.SmallInteger, nullable=False),
    schema="core",
)

# Certificates of what was destroyed when somebody left; they name nobody.
erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at", INSTANT, nullable=False),
    sa.Column("certificate", sa.Text, nullable=False),
    schema="core",
)

# What was weighed before something goes live (PIPL articles 55 and 56): kept, never rewritten.
assessment = sa.Table(
    "assessment",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("subject_kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("risks", sa.Text, nullable=False),
    sa.Column("measures", sa.Text, nullable=False),
    sa.Column("valid_until", sa.Date, nullable=False),
    sa.Column("drafted_by", sa.Text, nullable=False),
    sa.Column("drafted_at", INSTANT, nullable=False),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_at", INSTANT),
    sa.Column("approved", sa.Boolean),
    sa.CheckConstraint("subject_kind in ('partner', 'perk', 'city', 'processing')", name="subject_kind"),
    sa.CheckConstraint("decided_by <> drafted_by", name="two_persons"),
    sa.CheckConstraint(
        "(decided_by is null) = (decided_at is null) and (decided_by is null) = (approved is null)",
        name="decided_whole",
    ),
    sa.Index(None, "subject_kind", "subject"),
    schema="core",
)

# A breach: what, whose (sealed until it is closed), since when it is known; `known_at` starts the clock of four hours.
incident = sa.Table(
    "incident",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kinds", ARRAY(sa.Text), nullable=False),
    sa.Column("from_at", INSTANT, nullable=False),
    sa.Column("until_at", INSTANT, nullable=False),
    sa.Column("client_id", sa.Text),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("measures", sa.Text, nullable=False),
    sa.Column("known_at", INSTANT, nullable=False),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("opened_at", INSTANT, nullable=False),
    sa.Column("persons", sa.Integer, nullable=False),
    sa.Column("numbers", JSONB, nullable=False),
    sa.Column("sealed_persons", sa.LargeBinary),
    sa.Column("reported_at", INSTANT),
    sa.Column("notified_at", INSTANT),
    sa.Column("closed_by", sa.Text),
    sa.Column("closed_at", INSTANT),
    sa.CheckConstraint(
        "(notified_at is null or reported_at is not null) and (closed_at is null or notified_at is not null)",
        name="in_order",
    ),
    sa.CheckConstraint("closed_by <> opened_by", name="two_persons"),
    sa.CheckConstraint(
        "(closed_by is null) = (closed_at is null) and (closed_at is null) = (sealed_persons is not null)",
        name="closed_whole",
    ),
    schema="core",
)

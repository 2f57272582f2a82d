"""Tables of floor 2: clients and tokens, citizens and sessions, consents.

Consents are append-only: giving is one row, ending is one row elsewhere, and a consent lives while it has no end and
is not past `expires_at`. Every reader joins the view `auth.live_consent`.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.tables import INSTANT, metadata

client = sa.Table(
    "client",
    metadata,
    sa.Column("client_id", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("public", sa.Boolean, nullable=False),
    sa.Column("jwks", JSONB, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("redirect_uris", ARRAY(sa.Text), nullable=False),
    sa.Column("kinds", ARRAY(sa.Text), nullable=False),
    sa.Column("perks", ARRAY(sa.Text), nullable=False),
    sa.Column("sealed_digest_key", sa.LargeBinary),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.Column("disabled_at", INSTANT),
    sa.Column("details_types", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("purposes", ARRAY(sa.Text), nullable=False, server_default="{}"),
    sa.Column("introspects", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("contact", sa.Text, nullable=False, server_default=""),
    sa.Column("assessment_id", sa.Uuid),
    sa.Column("addresses", JSONB, nullable=False, server_default="{}"),
    sa.CheckConstraint("role in ('citizen', 'partner', 'source', 'citycard', 'staff')", name="role"),
    schema="auth",
)

# A row per access token, found by the SHA-256 of its `jti`; gate functions prove the caller by it. `actor`: the clerk
# who acts at a counter in the citizen's presence.
token = sa.Table(
    "token",
    metadata,
    sa.Column("jti_hash", sa.LargeBinary, primary_key=True),
    sa.Column("client_id", sa.Text, sa.ForeignKey("auth.client.client_id"), nullable=False),
    sa.Column("citizen_id", sa.Uuid),
    sa.Column("scope", sa.Text, nullable=False),
    sa.Column("code_hash", sa.LargeBinary),
    sa.Column("actor", sa.Text),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("revoked_at", INSTANT),
    sa.Column("family", sa.Uuid),
    sa.Column("grant_id", sa.Uuid),
    sa.Index(None, "code_hash", postgresql_where=sa.text("code_hash is not null")),
    sa.Index(None, "expires_at"),
    sa.Index(None, "family", postgresql_where=sa.text("family is not null")),
    schema="auth",
)

# `id_digest` is a blind index; name, ID number and birth date are sealed under the identity key. Both are absent
# together while nobody has proved a name.
citizen = sa.Table(
    "citizen",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("id_digest", sa.LargeBinary, unique=True),
    sa.Column(
        "index_epoch",
        sa.Integer,
        sa.Computed("get_byte(id_digest, 1) * 256 + get_byte(id_digest, 2)", persisted=True),
        sa.ForeignKey("keys.epoch.number"),
        index=True,
    ),
    sa.Column("sealed_profile", sa.LargeBinary),
    sa.Column("acr", sa.SmallInteger, nullable=False),
    sa.Column("created_at", INSTANT, nullable=False),
    sa.CheckConstraint("(id_digest is null) = (sealed_profile is null)", name="whole"),
    schema="auth",
)

# The ways in which a citizen comes. `digest` is a blind index of provider and subject; the subject itself is sealed.
account = sa.Table(
    "account",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column(
        "index_epoch",
        sa.Integer,
        sa.Computed("get_byte(digest, 1) * 256 + get_byte(digest, 2)", persisted=True),
        sa.ForeignKey("keys.epoch.number"),
        index=True,
    ),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("auth.citizen.id", ondelete="CASCADE"), nullable=False),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("linked_at", INSTANT, nullable=False),
    sa.Index(None, "citizen_id"),
    schema="auth",
)

# No index: a number finds nobody, since numbers are given away again.
phone = sa.Table(
    "phone",
    metadata,
    sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("auth.citizen.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("verified_at", INSTANT, nullable=False),
    schema="auth",
)

session = sa.Table(
    "session",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("id", sa.Uuid, nullable=False, unique=True),
    sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("auth.citizen.id", ondelete="CASCADE"), nullable=False),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("acr", sa.SmallInteger, nullable=False),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("auth_time", INSTANT, nullable=False),
    sa.Column("began_at", INSTANT, nullable=False),
    sa.Column("used_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("ended_at", INSTANT),
    sa.Index(None, "citizen_id"),
    schema="auth",
)

# `subject` is random and pairwise: what the recipient of a `share:` consent sees instead of the citizen.
consent = sa.Table(
    "consent",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("citizen_id", sa.Uuid, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("one_use", sa.Boolean, nullable=False),
    sa.Column("notice_version", sa.Integer, nullable=False),
    sa.Column("notice_digest", sa.Text, nullable=False),
    sa.Column("sources", ARRAY(sa.Text), nullable=False),
    sa.Column("subject", sa.Uuid, unique=True),
    sa.Column("given_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("receipt", sa.Text, nullable=False),
    sa.Column("processing", JSONB),
    sa.Index(None, "citizen_id", "purpose"),
    schema="auth",
)

consent_end = sa.Table(
    "consent_end",
    metadata,
    sa.Column("consent_id", sa.Uuid, sa.ForeignKey("auth.consent.id"), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", INSTANT, nullable=False),
    sa.Index(None, "at"),
    schema="auth",
)

consent_source_end = sa.Table(
    "consent_source_end",
    metadata,
    sa.Column("consent_id", sa.Uuid, sa.ForeignKey("auth.consent.id"), primary_key=True),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("at", INSTANT, nullable=False),
    schema="auth",
)

# The people whose live consent names a source, as the digest agreed with that source; `seq` orders the feed.
source_subject = sa.Table(
    "source_subject",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("citizen_id", sa.Uuid),
    sa.Column("consent_id", sa.Uuid),
    sa.Column("seq", sa.BigInteger, sa.Sequence("source_subject_seq", schema="auth"), nullable=False),
    sa.Column("changed_at", INSTANT, nullable=False),
    sa.Column("left_at", INSTANT),
    sa.CheckConstraint("(citizen_id is null) = (left_at is not null)", name="left_is_nobody"),
    sa.Index(None, "source", "seq"),
    sa.Index(None, "source", "changed_at"),
    sa.Index(None, "citizen_id", postgresql_where=sa.text("citizen_id is not null")),
    schema="auth",
)

# What a citizen asked a person of the office to look at; words and answer are sealed under the citizen's *cases* key.
matter = sa.Table(
    "matter",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("citizen_id", sa.Uuid, sa.ForeignKey("auth.citizen.id", ondelete="CASCADE"), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("opened_at", INSTANT, nullable=False),
    sa.Column("answer_by", INSTANT, nullable=False),
    sa.Column("sent_at", INSTANT),
    sa.Column("answered_at", INSTANT),
    sa.Column("outcome", sa.Text),
    sa.Column("sealed_words", sa.LargeBinary, nullable=False),
    sa.Column("sealed_answer", sa.LargeBinary),
    sa.CheckConstraint("kind in ('review', 'correction')", name="kind"),
    sa.CheckConstraint("state in ('opened', 'sent', 'answered')", name="state"),
    sa.CheckConstraint("(state = 'answered') = (answered_at is not null)", name="answered_whole"),
    sa.Index(None, "citizen_id"),
    sa.Index("ix_matter_waiting", "answer_by", postgresql_where=sa.text("state <> 'answered'")),
    schema="auth",
)

# What one of the office asked to change about a client, and who else agreed.
client_change = sa.Table(
    "client_change",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("client_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("body", JSONB, nullable=False),
    sa.Column("assessment_id", sa.Uuid),
    sa.Column("drafted_by", sa.Text, nullable=False),
    sa.Column("drafted_at", INSTANT, nullable=False),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", INSTANT),
    sa.CheckConstraint("kind in ('register', 'keys', 'enable', 'address')", name="kind"),
    sa.CheckConstraint("approved_by <> drafted_by", name="two_persons"),
    schema="auth",
)

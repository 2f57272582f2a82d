"""Tables of what happens at counters and between relatives.

All of them belong to the auth door and go with the citizen: deleting the citizen deletes these rows.
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata


def _citizen(name: str, *, key: bool = False, unique: bool = False) -> sa.Column[object]:
    """A citizen whose leaving takes the row along."""
    gone = sa.ForeignKey("auth.citizen.id", ondelete="CASCADE")
    return sa.Column(name, sa.Uuid, gone, nullable=False, primary_key=key, unique=unique or None)


# `digest` is a keyed digest of the card's number, `pin` a slow digest of the PIN under a key outside the database.
# A lost card opens nothing. `replaced` is the number that an operator put in its place, sealed under a deployment key.
card = sa.Table(
    "card",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    _citizen("citizen_id"),
    sa.Column("sealed_number", sa.LargeBinary, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("pin", sa.LargeBinary, nullable=False),
    sa.Column("bound_at", INSTANT, nullable=False),
    sa.Column("tries", sa.SmallInteger, nullable=False),
    sa.Column("tried_at", INSTANT),
    sa.Column("lost_at", INSTANT),
    sa.Column("replaced", sa.LargeBinary),
    sa.Index(None, "citizen_id"),
    schema="auth",
)

# A one-time code that a citizen draws and says to a clerk or a relative; only its keyed digest is here.
spoken_code = sa.Table(
    "spoken_code",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    _citizen("citizen_id"),
    sa.Column("use", sa.Text, nullable=False),
    sa.Column("until_on", sa.Date),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.UniqueConstraint("citizen_id", "use"),
    sa.CheckConstraint("use in ('counter', 'proxy')", name="use"),
    schema="auth",
)

# A clerk and a citizen at one counter; `jti_hash` is that of the session's one token.
assisted = sa.Table(
    "assisted",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("jti_hash", sa.LargeBinary, nullable=False, unique=True),
    _citizen("citizen_id"),
    sa.Column("client_id", sa.Text, sa.ForeignKey("auth.client.client_id"), nullable=False),
    sa.Column("clerk", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("proved_by", sa.Text, nullable=False),
    sa.Column("opened_at", INSTANT, nullable=False),
    sa.Column("proved_again_at", INSTANT),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("ended_at", INSTANT),
    sa.Index(None, "citizen_id"),
    sa.Index(None, "expires_at"),
    schema="auth",
)

# `proxy_id` may look, and only look, at what is `citizen_id`'s.
proxy = sa.Table(
    "proxy",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _citizen("citizen_id"),
    _citizen("proxy_id"),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("begun_at", INSTANT, nullable=False),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("ended_at", INSTANT),
    sa.CheckConstraint("citizen_id <> proxy_id", name="another"),
    sa.CheckConstraint("basis in ('invited', 'relative')", name="basis"),
    sa.Index(None, "citizen_id"),
    sa.Index(None, "proxy_id"),
    schema="auth",
)

# A death that an office recorded and another person of it approved. `relative_id` may look, until `until_on`, unless
# the deceased said otherwise; both documents' numbers are sealed under the deceased's identity key.
death = sa.Table(
    "death",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    _citizen("citizen_id"),
    sa.Column("sealed_document", sa.LargeBinary, nullable=False),
    sa.Column("relative_id", sa.Uuid, sa.ForeignKey("auth.citizen.id", ondelete="SET NULL")),
    sa.Column("relation", sa.Text),
    sa.Column("client_id", sa.Text, sa.ForeignKey("auth.client.client_id"), nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("recorded_at", INSTANT, nullable=False),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", INSTANT),
    sa.Column("done_at", INSTANT),
    sa.CheckConstraint("approved_by <> recorded_by", name="two_persons"),
    sa.CheckConstraint("(approved_by is null) = (approved_at is null)", name="approved_whole"),
    sa.Index(None, "citizen_id"),
    schema="auth",
)

# Who said, while living, that nobody shall look afterwards; whoever said nothing has no row.
last_wish = sa.Table(
    "last_wish",
    metadata,
    _citizen("citizen_id", key=True),
    sa.Column("at", INSTANT, nullable=False),
    schema="auth",
)

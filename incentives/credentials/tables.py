"""Tables of credentials: offers to wallets, the copies that were given, and the lists that their places are in.

Gate functions alone change them (migration 0041), but for the offer that a citizen draws and the jobs' sweeping.
"""

import sqlalchemy as sa

from core.tables import INSTANT, metadata

# By the digest of its code. `proof` is the keyed digest of the words beside it, `token` that of what the wallet got.
credential_offer = sa.Table(
    "credential_offer",
    metadata,
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("citizen_id", sa.Uuid, nullable=False, index=True),
    sa.Column("consent_id", sa.Uuid, nullable=False),
    sa.Column("proof", sa.LargeBinary, nullable=False),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("expires_at", INSTANT, nullable=False),
    sa.Column("token", sa.LargeBinary, unique=True),
    sa.Column("jkt", sa.Text),
    sa.Column("token_until", INSTANT),
    sa.Column("copies", sa.SmallInteger, nullable=False, server_default="0"),
    schema="incentives",
)

status_list = sa.Table(
    "status_list",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("claimed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("opened_at", INSTANT, nullable=False, server_default=sa.func.now()),
    sa.Column("closed_at", INSTANT),
    schema="incentives",
)

# A copy whose consent is null is nobody's any more; `ended_at`: it counts no more, for good.
credential_copy = sa.Table(
    "credential_copy",
    metadata,
    sa.Column("list_id", sa.Uuid, sa.ForeignKey(status_list.c.id), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("consent_id", sa.Uuid, index=True),
    sa.Column("reached", sa.SmallInteger),
    sa.Column("until", INSTANT, nullable=False, index=True),
    sa.Column("ended_at", INSTANT),
    sa.CheckConstraint("(consent_id is null) = (reached is null)", name="nobody"),
    sa.CheckConstraint("consent_id is not null or ended_at is not null", name="ended"),
    sa.Index(None, "list_id", postgresql_where=sa.text("ended_at is not null")),
    schema="incentives",
)

"""The short-lived store in PostgreSQL: four UNLOGGED tables, open to every door but the partner's."""

from alembic import context, op

revision = "0002"
down_revision = "0001"

_TABLES = {
    "short_claim": "key text constraint pk_short_claim primary key, until timestamptz not null",
    "short_count": "key text constraint pk_short_count primary key, count bigint not null, until timestamptz not null",
    "short_value": "key text constraint pk_short_value primary key, value bytea not null, until timestamptz not null",
    "short_epoch": (
        "one boolean constraint pk_short_epoch primary key constraint ck_short_epoch_one_row check (one), "
        "epoch text not null"
    ),
}
_DOORS = ("auth", "citizen", "source", "scorer", "staff", "jobs")


def upgrade() -> None:
    """Make the tables and let the doors use them; the partner door stays without a table grant."""
    role = context.config.attributes["role_prefix"]
    doors = ", ".join(f"{role}_{door}" for door in _DOORS)
    for name, columns in _TABLES.items():
        op.execute(f"create unlogged table core.{name} ({columns})")
        op.execute(f"grant select, insert, update, delete on core.{name} to {doors}")
    for name in ("short_claim", "short_count", "short_value"):
        op.execute(f"create index ix_{name}_until on core.{name} (until)")


def downgrade() -> None:
    """Drop the tables; what they held was short-lived."""
    for name in _TABLES:
        op.execute(f"drop table core.{name}")

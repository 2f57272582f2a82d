"""Counters: assisted sessions, card-only people, proxies, relatives."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the tables and let the auth door work with them."""
    for statement in statements("0012_counter.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Forget cards, proxies and who sat at which counter; live tokens of counters must not outlive that."""
    op.execute("delete from auth.token where actor is not null")
    for table in ("last_wish", "death", "proxy", "assisted", "spoken_code", "card"):
        op.execute(f"drop table auth.{table}")
    op.execute("alter table auth.token drop column actor")

"""The city card's door, cards and entitlement lists."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0035"
down_revision = "0034"

_FILES = ("0035_door.sql", "0035_cards.sql")


def upgrade() -> None:
    """Make the role (shared by the cluster, so perhaps already there) and what it may call."""
    role = context.config.attributes["role_prefix"]
    name = f"{role}_citycard"
    op.execute(
        f"do $$ begin if not exists (select from pg_roles where rolname = '{name}') then create role {name} login; "
        "end if; end $$"
    )
    for file in _FILES:
        for statement in statements(file, role):
            op.execute(statement)


def downgrade() -> None:
    """Take functions and tables away; the role stays, since other databases of the cluster may use it."""
    for statement in statements("0035_down.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)

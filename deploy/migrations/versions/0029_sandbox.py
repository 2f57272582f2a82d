"""What only a sandbox has."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Mark an empty database that is made as a sandbox, and let its partners move its clock; leave any other alone."""
    if context.config.attributes.get("sandbox"):
        for statement in statements("0029_sandbox.sql", context.config.attributes["role_prefix"]):
            op.execute(statement)


def downgrade() -> None:
    """Take the mark away; a clock that was moved stays where it is."""
    if op.get_bind().exec_driver_sql("select to_regnamespace('sandbox') is not null").scalar():
        for statement in statements("0029_down.sql", context.config.attributes["role_prefix"]):
            op.execute(statement)

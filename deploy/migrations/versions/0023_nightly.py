"""The daily pass over everyone: how far it has come."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """The cursor of the pass, for the jobs alone."""
    for statement in statements("0023_nightly.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Forget how far it has come; a pass begins anew, and changes nothing that is right already."""
    op.execute("drop table scoring.nightly")

"""What citizens declare and commit to."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Make the two tables."""
    for statement in statements("0019_declarations.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take them away with what citizens said."""
    op.execute("drop table scoring.commitment, scoring.declaration")

"""Working days of the Chinese calendar."""

import sqlalchemy as sa
from alembic import context, op

from core import workdays
from core.postgres.migrate import statements

revision = "0016"
down_revision = "0015"

_TABLE = sa.table(
    "workday",
    sa.column("day", sa.Date),
    sa.column("is_workday", sa.Boolean),
    sa.column("source", sa.Text),
    sa.column("version", sa.SmallInteger),
    schema="core",
)


def upgrade() -> None:
    """Lay the table with every year that is published by now; the jobs load what is published later."""
    for statement in statements("0016_workdays.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)
    for year in workdays.published():
        op.bulk_insert(_TABLE, workdays.library_rows(year))
    # Only now: the owner may be no superuser, and the policies bind the owner, too.
    op.execute("alter table core.workday enable row level security, force row level security")


def downgrade() -> None:
    """Take it back."""
    op.execute("drop table core.workday")

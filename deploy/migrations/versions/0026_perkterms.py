"""The published terms of perks: kinds, formula, validity, clocks, budgets, zones and programmes."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Lay what the gate must know of a perk's terms."""
    _run("0026_perkterms.sql")


def downgrade() -> None:
    """Take it back; lines of perks stay."""
    _run("0026_down.sql")


def _run(file: str) -> None:
    for statement in statements(file, context.config.attributes["role_prefix"]):
        op.execute(statement)

"""Budgets, zones and programmes of perks."""

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

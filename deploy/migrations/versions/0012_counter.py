"""Counters: assisted sessions, card-only people, proxies, relatives."""

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

"""The city card's door, cards and entitlement lists."""

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""

"""What a payment channel was asked, and what it answered."""

revision = "0039"
down_revision = "0038"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing yet."""

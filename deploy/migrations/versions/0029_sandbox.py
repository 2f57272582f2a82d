"""What only a sandbox has."""

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

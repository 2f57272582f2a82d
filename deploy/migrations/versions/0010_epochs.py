"""Key epochs: which lives, which was destroyed."""

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

"""What partners ask for in a citizen's name: details of a grant, refresh tokens."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

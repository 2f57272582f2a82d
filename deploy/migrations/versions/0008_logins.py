"""How citizens come: accounts at several providers, assurance, listed sessions."""

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

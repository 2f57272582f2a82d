"""The sealed log: salted leaves and signed heads."""

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

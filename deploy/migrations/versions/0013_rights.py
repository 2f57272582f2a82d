"""Rights: erasure certificates, corrections, reviews."""

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

"""Numbers that a credit code carries."""

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

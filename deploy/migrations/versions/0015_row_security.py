"""Row-level security behind every door."""

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

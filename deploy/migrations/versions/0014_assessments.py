"""Impact assessments, registrations by staff, incidents."""

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

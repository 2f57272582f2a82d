"""Consents as ISO/IEC TS 27560 records with their events."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Change nothing yet."""


def downgrade() -> None:
    """Nothing to take back."""

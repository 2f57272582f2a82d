"""Plates as keyed digests."""

revision = "0040"
down_revision = "0039"


def upgrade() -> None:
    """Nothing yet."""


def downgrade() -> None:
    """Nothing to take away."""

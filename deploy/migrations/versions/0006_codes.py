"""The citizen's door sees which codes were used, so that drawing a new one leaves those alone."""

from alembic import context, op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """A use is a digest and a decision's random id: it names nobody."""
    op.execute(f"grant select on incentives.credit_code_use to {context.config.attributes['role_prefix']}_citizen")


def downgrade() -> None:
    """Take it back."""
    op.execute(f"revoke select on incentives.credit_code_use from {context.config.attributes['role_prefix']}_citizen")

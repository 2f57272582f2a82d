"""Numbers that a credit code carries: of perks, partners and programmes. Checks by the hundred."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """The two registries; every perk and partner has its numbers from its first row on."""
    role = context.config.attributes["role_prefix"]
    for statement in (*statements("0028_creditcodes.sql", role), *statements("0028_batch.sql", role)):
        op.execute(statement)


def downgrade() -> None:
    """Forget the numbers. Codes that were drawn with them are over within a minute."""
    op.execute("drop function incentives.check_eligibilities")
    op.execute("drop trigger numbered on auth.client")
    op.execute("drop trigger numbered on incentives.perk")
    op.execute("drop function incentives.number_partner(), incentives.number_perk()")
    op.execute("drop table incentives.audience_number, incentives.perk_number")

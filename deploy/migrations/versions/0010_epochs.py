"""Key epochs: which lives, which was destroyed, what hangs on each; and the erasure list that a restore needs."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """What hangs on an epoch refers to it from now on."""
    for statement in statements("0010_epochs.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Let go of the references; indexes that were made under an epoch's key stay as they are."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"revoke update (epoch, wrapped) on keys.person_key from {role}_jobs")
    op.execute(f"revoke update (id_digest) on auth.citizen from {role}_jobs")
    op.execute(f"revoke select, update (digest, sealed) on auth.account from {role}_jobs")
    op.execute(f"revoke delete on auth.citizen from {role}_jobs")
    op.execute(f"revoke insert on auth.consent_source_end from {role}_jobs")
    op.execute("alter table auth.account drop column index_epoch")
    op.execute("alter table auth.citizen drop column index_epoch")
    op.execute("drop index scoring.ix_live_epoch")
    op.execute("alter table scoring.live drop constraint fk_live_epoch")
    op.execute("drop index keys.ix_person_key_epoch")
    op.execute("alter table keys.person_key drop constraint fk_person_key_epoch")
    op.execute("drop table keys.erased, keys.destroyed_epoch, keys.epoch")

"""How citizens come: accounts at several providers, assurance, listed sessions."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Give every citizen's one account a row; everybody logs in again."""
    for statement in statements("0008_logins.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take it back: a citizen keeps the oldest account, and whoever proved no name is gone."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"revoke select, update on auth.session from {role}_citizen")
    op.execute(f"revoke update (ended_at) on auth.session from {role}_citizen")
    op.execute(f"revoke delete on auth.citizen, keys.person_key from {role}_auth")
    op.execute("alter table auth.code drop column acr")
    op.execute(
        "alter table auth.session drop column id, drop column acr, drop column device, drop column began_at, "
        "drop column used_at"
    )
    op.execute("delete from auth.citizen where id_digest is null")
    op.execute("alter table auth.citizen drop constraint ck_citizen_whole")
    op.execute("alter table auth.citizen add column account bytea constraint uq_citizen_account unique")
    op.execute(
        "update auth.citizen c set account = (select a.digest from auth.account a where a.citizen_id = c.id "
        "order by a.linked_at, a.digest limit 1)"
    )
    op.execute("delete from auth.citizen where account is null")
    op.execute(
        "alter table auth.citizen alter column account set not null, alter column id_digest set not null, "
        "alter column sealed_profile set not null"
    )
    op.execute("drop table auth.phone, auth.account")

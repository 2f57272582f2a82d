"""Impact assessments, registrations by staff, incidents."""

from pathlib import Path

from alembic import context, op

_SQL = Path(__file__).parent.parent / "sql"

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Lay the tables of those who answer for what goes live."""
    role = context.config.attributes["role_prefix"]
    for name in ("0014_assessments.sql", "0014_desk.sql"):
        for block in (_SQL / name).read_text().replace("{role}", role).split(";\n\n"):
            if statement := block.strip().removesuffix(";"):
                op.execute(statement)


def downgrade() -> None:
    """Take them back."""
    role = context.config.attributes["role_prefix"]
    op.execute("drop function auth.note_refused, auth.search_entries, auth.count_entries, auth.persons_read")
    op.execute(f"revoke select on core.audit_entry from {role}_gate")
    op.execute("drop index core.ix_audit_entry_at")
    op.execute("drop table core.incident, auth.client_change, core.assessment")
    op.execute(
        f"revoke select (name, public, scopes, kinds, redirect_uris, jwks, created_at) on auth.client from {role}_staff"
    )
    op.execute(f"revoke insert on auth.client from {role}_staff")
    op.execute(f"revoke update (jwks, disabled_at) on auth.client from {role}_staff")
    op.execute("alter table auth.client drop column assessment_id")

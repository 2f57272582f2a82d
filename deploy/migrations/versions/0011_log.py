"""The sealed log: salted leaves and signed heads."""

from pathlib import Path

from alembic import context, op

_SQL = Path(__file__).parent.parent / "sql" / "0011_log.sql"
_WRITERS = ("auth", "citizen", "scorer", "staff", "jobs", "gate")

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Salt the entries and lay the tree beside them."""
    text = _SQL.read_text().replace("{role}", context.config.attributes["role_prefix"])
    for block in text.split(";\n\n"):
        if statement := block.strip().removesuffix(";"):
            op.execute(statement)


def downgrade() -> None:
    """Forget the tree; the entries stay, unsealed."""
    role = context.config.attributes["role_prefix"]
    op.execute("drop table core.audit_head, core.audit_node, core.audit_leaf")
    op.execute("drop trigger keep_entry on core.audit_entry")
    op.execute("drop function core.keep_entry")
    op.execute("alter table core.audit_entry drop column salt, drop column xid")
    for door in _WRITERS:
        op.execute(
            "revoke insert (id, at, actor_kind, actor, action, purpose, outcome, owner, detail) "
            f"on core.audit_entry from {role}_{door}"
        )
        op.execute(f"grant insert on core.audit_entry to {role}_{door}")
    op.execute(f"revoke select, delete on core.audit_entry from {role}_jobs")

"""Rights: statements, matters for a person to look at, erasure certificates."""

from collections.abc import Iterator
from pathlib import Path

from alembic import context, op

_SQL = Path(__file__).parent.parent / "sql"

revision = "0013"
down_revision = "0012"


def _statements(name: str, role: str) -> Iterator[str]:
    for block in (_SQL / name).read_text().replace("{role}", role).split(";\n\n"):
        if statement := block.strip().removesuffix(";"):
            yield statement


def upgrade() -> None:
    """Make the tables, and the functions through which staff reach what citizens asked."""
    for statement in _statements("0013_rights.sql", context.config.attributes["role_prefix"]):
        op.execute(statement)


def downgrade() -> None:
    """Take them away; what citizens said and asked goes with them."""
    role = context.config.attributes["role_prefix"]
    op.execute("drop function auth.turn_matter, auth.read_matter, auth.waiting_matters")
    op.execute("drop table core.erasure, auth.matter, scoring.statement")
    op.execute(f"revoke select on keys.person_key from {role}_gate")
    op.execute(f"revoke usage on schema keys from {role}_gate")
    op.execute(
        "revoke select (id, partner_id, perk_id, citizen_id, granted, at, valid_until, consent_id, reason) "
        f"on incentives.decision from {role}_citizen"
    )

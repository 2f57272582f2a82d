"""What partners ask for in a citizen's name: details of a grant, refresh tokens."""

from alembic import context, op

from core.postgres.migrate import statements

revision = "0007"
down_revision = "0006"

_CALLER = "    from auth.token t join auth.client c on c.client_id = t.client_id\n"
_LIVE = "      and c.role = 'partner' and c.disabled_at is null\n"
# A token that stands for one consent asks about that holder and that perk, and about nothing else.
_GRANT = "    left join auth.consent g on g.id = t.grant_id\n"
_BOUND = (
    "      and (t.grant_id is null or g.subject = p_subject and g.purpose = 'share:' || c.client_id || '/' || p_perk)\n"
)


def _check(role: str) -> str:
    """The function `incentives.check_eligibility` as migration 0005 made it."""
    (made,) = [one for one in statements("0005_gate.sql", role) if "create function incentives.check_e" in one]
    return made.replace("create function", "create or replace function")


def _replace(function: str, role: str) -> None:
    for statement in (
        f"grant {role}_gate to current_user",
        f"grant create on schema incentives to {role}_gate",
        function,
        f"revoke create on schema incentives from {role}_gate",
        f"revoke {role}_gate from current_user",
    ):
        op.execute(statement)


def upgrade() -> None:
    """Make the tables, and let the gate prove what a grant's token may ask."""
    role = context.config.attributes["role_prefix"]
    for statement in statements("0007_grants.sql", role):
        op.execute(statement)
    function = _check(role)
    for found, put in ((_CALLER, _CALLER + _GRANT), (_LIVE, _LIVE + _BOUND)):
        if function.count(found) != 1:
            message = "check_eligibility is not the function that this migration changes"
            raise RuntimeError(message)
        function = function.replace(found, put)
    _replace(function, role)


def downgrade() -> None:
    """Take it back; who holds a refresh token must log in again, partners must ask again."""
    role = context.config.attributes["role_prefix"]
    _replace(_check(role), role)
    op.execute("drop function auth.grant_stands")
    op.execute(f"revoke insert on auth.code from {role}_citizen")
    op.execute("alter table auth.code drop column grant_id, drop column details")
    op.execute("drop index auth.ix_token_family")
    op.execute("alter table auth.token drop column family, drop column grant_id")
    op.execute("drop table auth.refresh")
    op.execute(
        "alter table auth.client drop column details_types, drop column purposes, drop column introspects, "
        "drop column contact"
    )

"""Rides, codes consumed at gates, and what reconciliation found."""

from alembic import context, op
from sqlalchemy import TextClause, text

from core.postgres.migrate import statements

revision = "0036"
down_revision = "0035"

_FUNCTIONS = (
    "consume_code", "releases_of_operator", "forget_rides", "rides_of_day", "settle_rides", "write_rides",
    "limit_rides", "use_ride_codes", "weigh_rides", "listed_rides", "count_rides", "ride_outcome",
)  # fmt: skip
_TABLES = ("ride", "ride_code", "ride_total", "ride_double", "ride_day")
_ROLE = "CASE decide.p_scope WHEN 'citycard' THEN 'citycard' ELSE 'partner' END"
_DECIDE = (("(c.role = 'partner'::text)", f"(c.role = {_ROLE})"), ("'partner',\n", f"{_ROLE},\n"))


def upgrade() -> None:
    """Tables, then what settles; a check may be an operator's."""
    for file in ("0036_tables.sql", "0036_settle.sql", "0036_consume.sql"):
        for statement in statements(file, context.config.attributes["role_prefix"]):
            op.execute(statement)
    body = str(op.get_bind().execute(text("select pg_get_functiondef('incentives.decide'::regproc)")).scalar_one())
    for old, new in _DECIDE:
        if body.count(old) != 1:
            message = f"decide is not the function that this migration knows: {old!r}"
            raise RuntimeError(message)
        body = body.replace(old, new)
    _as_gate(text(body.replace(":", "\\:")))


def downgrade() -> None:
    """Take everything away; an operator's number stays, for a number is never given twice."""
    op.execute("drop trigger numbered on auth.client")
    op.execute(
        "create trigger numbered after insert or update of role on auth.client for each row "
        "when (new.role = 'partner') execute function incentives.number_partner()"
    )
    for name in _FUNCTIONS:
        _as_gate(text(f"drop function incentives.{name}"))
    for statement in statements("0034_checks.sql", context.config.attributes["role_prefix"]):
        if "create function incentives.decide(" in statement:
            _as_gate(text(statement.replace("create function", "create or replace function").replace(":", "\\:")))
    op.execute("drop type incentives.ride_line")
    op.execute("alter table incentives.entitlement_change drop column made_at")
    role = context.config.attributes["role_prefix"]
    op.execute(f"revoke select (bound_at) on auth.card from {role}_gate")
    for name in _TABLES:
        op.execute(f"drop table incentives.{name}")


def _as_gate(statement: TextClause) -> None:
    """Run a statement by whom the functions belong to, and who alone may change them."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"grant {role}_gate to current_user")
    op.execute(statement)
    op.execute(f"revoke {role}_gate from current_user")

"""A check knows what an order would find: spent budgets, and what the holder's own orders leave no room for.

The three gate functions that check are changed where they stand, each at places that occur once; a text that is not
found is an error, so nothing is changed by half.
"""

from alembic import context, op
from sqlalchemy import text

from core.postgres.migrate import statements

revision = "0033"
down_revision = "0032"

_DAY = "((caller{n}.civil AT TIME ZONE 'Asia/Shanghai'::text))::date"
_WAIVED = "incentives.waived_of({amount}, rule.cap, rule.over_cap, rule.percent, rule.minus, rule.from_amount)"
_SPENT = "incentives.budget_spent({perk}, rule.release_id, caller{n}.client_id, rule.zone, {waived}, {day})"
_CAUSE = "incentives.order_cause({holder}, {perk}, rule.release_id, rule.kind, rule.cap, {waived}, {day})"
_OVER, _BELOW = "THEN 'amount_over_cap'::text\n", "THEN 'below'::text\n"


def _said(spent: str, cause: str) -> list[tuple[str, str]]:
    """Where a check says why: the budget after the cap; the holder's orders where nothing else stands against them."""
    return [
        (_OVER, f"{_OVER.rstrip()} WHEN {spent} THEN 'budget_spent'::text\n"),
        (_BELOW, f"{_BELOW.rstrip()} WHEN true THEN {cause}\n"),
    ]


def _asked(amount: str, perk: str, holder: str, n: str) -> str:
    """The two columns, asked for everybody, so that an answer takes as long whatever it is."""
    words = {"amount": amount, "perk": perk, "holder": holder, "n": n}
    words["day"] = _DAY.format(**words)
    words["waived"] = _WAIVED.format(**words)
    return f"{_SPENT.format(**words)} AS spent, {_CAUSE.format(**words)} AS against"


def _single(name: str) -> list[tuple[str, str]]:
    columns = _asked(f"{name}.p_amount", f"{name}.p_perk", "holder.citizen_id", "_1")
    known = f"known AS MATERIALIZED (SELECT {columns} FROM caller caller_1 {_RULE} {_HOLDER})"
    joined = "LEFT JOIN prior prior_1 ON (true))\n         ), used AS ("
    return [
        ("), judged AS MATERIALIZED (", f"), {known}, judged AS MATERIALIZED ("),
        (joined, joined.replace("\n", " LEFT JOIN known ON (true)\n", 1)),
        *_said("known.spent", "known.against"),
    ]


_RULE, _HOLDER = "LEFT JOIN rule ON (true)", "LEFT JOIN holder ON (true)"
_LISTED = "             rule.over_cap,\n"
_BOTH = _asked("asked.amount", "asked.perk", "COALESCE(code.citizen_id, share.citizen_id)", "")
_CHANGES = {
    "check_eligibility": _single("check_eligibility"),
    "check_for_order": _single("check_for_order"),
    "check_eligibilities": [(_LISTED, f"{_LISTED}{_BOTH},\n"), *_said("known.spent", "known.against")],
}


def upgrade() -> None:
    """Make the functions, and let each check ask them."""
    _run("0033_known.sql")
    role = context.config.attributes["role_prefix"]
    op.execute(f"grant {role}_gate to current_user")  # who owns the functions, and alone may change them
    for name, changes in _CHANGES.items():
        definition = text("select pg_get_functiondef(cast(:name as regproc))")
        body = str(op.get_bind().execute(definition, {"name": f"incentives.{name}"}).scalar_one())
        for old, new in changes:
            if body.count(old) != 1:
                message = f"{name} is not the function that this migration knows: {old!r}"
                raise RuntimeError(message)
            body = body.replace(old, new)
        op.execute(text(body.replace(":", "\\:")))
    op.execute(f"revoke {role}_gate from current_user")


def downgrade() -> None:
    """Make the checks anew as they were, and take the functions away."""
    role = context.config.attributes["role_prefix"]
    op.execute(f"grant {role}_gate to current_user")
    op.execute("drop function incentives.check_eligibilities")
    op.execute(f"revoke {role}_gate from current_user")
    _run("0026_gate.sql")
    op.execute(f"grant {role}_gate to current_user")
    _run("0027_opening.sql", only="check_for_order'")
    _run("0028_batch.sql")
    op.execute(f"grant {role}_gate to current_user")
    op.execute("drop function incentives.orders_against, incentives.waived_of")
    op.execute(f"revoke {role}_gate from current_user")


def _run(file: str, only: str = "") -> None:
    for statement in statements(file, context.config.attributes["role_prefix"]):
        if only in statement:
            op.execute(statement)

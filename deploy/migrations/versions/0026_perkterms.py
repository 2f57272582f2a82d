"""The published terms of perks: kinds, formula, validity, clocks, budgets, zones and programmes; read by the gate."""

from collections.abc import Iterable

from alembic import context, op

from core.postgres.migrate import statements

revision = "0026"
down_revision = "0025"

_RULE = """    select r.* from caller, lateral incentives.perk_ruling(
      p_perk, caller.client_id, p_terminal, (caller.civil at time zone 'Asia/Shanghai')::date) r
"""
_RULE_BEFORE = """    select p.release_id, p.threshold, p.cap, p.over_cap, p.closed, p.terminals
    from caller join incentives.perk p
      on p.perk_id = p_perk and p.effective_on <= (caller.civil at time zone 'Asia/Shanghai')::date
    order by p.effective_on desc, p.approved_at desc limit 1
"""
_BEFORE = ((_RULE, _RULE_BEFORE), ("when rule.rests then", "when rule.closed then"))


def upgrade() -> None:
    """Lay what the gate must know of a perk's terms, and let it read them."""
    _run(_read("0026_perkterms.sql"))
    _run(_read("0026_gate.sql"))


def downgrade() -> None:
    """Take it back; lines of perks stay."""
    for statement in _read("0026_gate.sql"):
        before = statement
        if "incentives.check_eligibility" in statement:
            for found, put in _BEFORE:
                if before.count(found) != 1:
                    message = "check_eligibility is not the function that this migration made"
                    raise RuntimeError(message)
                before = before.replace(found, put)
        op.execute(before)
    _run(_read("0026_down.sql"))


def _read(file: str) -> list[str]:
    return list(statements(file, context.config.attributes["role_prefix"]))


def _run(some: Iterable[str]) -> None:
    for statement in some:
        op.execute(statement)

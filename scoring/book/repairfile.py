"""The rules of credit repair as frozen values: what may be repaired, when at the earliest, on which conditions.

Pure. Repair is a right (Order 36, article 3): a kind that cannot be applied for says how its effect ends instead. The
minimum display time is counted by the machine, every other condition is looked at by a person. No fee is part of it.
"""

import hashlib
from datetime import date

import msgspec

from core.policyfile import Document, Table
from scoring.book import basis
from scoring.book.basis import Basis, Claim

MOST_DAYS = 30
MOST_MONTHS = 60


class Pledge(msgspec.Struct, frozen=True):
    """A public pledge: a text that keeps its version as long as it keeps its words."""

    version: int
    text: str


class Condition(msgspec.Struct, frozen=True):
    """What a person checks, and what the citizen is asked to say about it."""

    id: str
    name: str
    ask: str


class Term(msgspec.Struct, frozen=True):
    """When and how a kind can be repaired: after `minimum_months`, with all of `always` and one of `one_of`, if any."""

    code: str
    minimum_months: int
    always: tuple[str, ...]
    one_of: tuple[str, ...]


class RepairRules(msgspec.Struct, frozen=True):
    """The whole file; days are working days. `others` say how the effect of other kinds ends."""

    version: str
    valid_from: date
    digest: str
    decide_days: int
    extension_days: int
    remind_days: int
    pledge: Pledge
    conditions: dict[str, Condition]
    kinds: dict[str, Term]
    others: dict[str, str]
    basis: Basis
    claims: tuple[Claim, ...]

    def needed(self, code: str, route: str | None) -> tuple[str, ...]:
        """The conditions of a kind on a route."""
        return (*self.kinds[code].always, *(() if route is None else (route,)))


def load(text: str, file: str) -> RepairRules:
    """Read the file; raises `policyfile.Faulty` with every fault found."""
    document = Document(text, file)
    root = document.root
    claims: list[Claim] = []
    conditions = {one.id: one for one in map(_condition, root.tables("condition", least=1))}
    terms = [_term(table, conditions, claims) for table in root.tables("kind", least=1)]
    rules = RepairRules(
        version=root.text("version"),
        valid_from=root.day("valid_from"),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        decide_days=span(root.table("decide"), "repair.decide", "days", MOST_DAYS, claims),
        extension_days=span(root.table("extension"), "repair.extension", "days", MOST_DAYS, claims),
        remind_days=span(root.table("remind"), "repair.remind", "days", MOST_DAYS, claims),
        pledge=pledge(root.table("pledge")),
        conditions=conditions,
        kinds={one.code: one for one in terms},
        others=dict(_other(table) for table in root.tables("other")),
        basis=basis.read(root),
        claims=tuple(claims),
    )
    if len(rules.kinds) < len(terms) or rules.kinds.keys() & rules.others.keys():
        root.fault("A kind is listed twice.", "Each code stands once.", "kind")
    root.close()
    document.close()
    return rules


def span(table: Table, value: str, unit: str, most: int, claims: list[Claim]) -> int:
    """Read `{days = 3, basis = …}`; what it rests on joins `claims` under the name `value`."""
    amount = table.whole(unit, 0 if unit == "days" else 1, most)
    claims.append(Claim(value, amount, basis.read(table), table.document.file, table.line()))
    table.close()
    return amount


def pledge(table: Table) -> Pledge:
    """Read a pledge."""
    found = Pledge(table.whole("version", 1, 1000), table.text("text"))
    table.close()
    return found


def _condition(table: Table) -> Condition:
    found = Condition(table.text("id"), table.text("name"), table.text("ask"))
    table.close()
    return found


def _term(table: Table, conditions: dict[str, Condition], claims: list[Claim]) -> Term:
    code = table.text("code")
    months = span(table.table("minimum"), f"repair.minimum.{code}", "months", MOST_MONTHS, claims)
    found = Term(code, months, table.words("always"), table.words("one_of", ()))
    if unknown := {*found.always, *found.one_of} - conditions.keys():
        table.fault(f"{', '.join(sorted(unknown))}: no such condition.", "Add a [[condition]], or correct the id.")
    if not code.startswith("N"):
        table.fault(f"{code} is no deduction.", "Only what takes points away can be repaired.", "code")
    table.close()
    return found


def _other(table: Table) -> tuple[str, str]:
    found = table.text("code"), table.text("how")
    table.close()
    return found

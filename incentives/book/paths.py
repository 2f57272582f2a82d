"""That no path leads from what happens to an order to anybody's points.

Pure. The rule book is a small graph of what has an effect on what: a kind of record on the points that count it, points
on whether a perk is granted, a default on what the perk's file lets it do. A kind that is fed by orders, partners or
perks would close the way; so the proof is that from the default of no perk the points, or any other perk, can be
reached. Kept payments are no exception: an order never becomes an input of points, neither good nor bad.
"""

import re
from collections.abc import Iterable, Mapping

from core.policyfile import Fault
from incentives.book.perks import AFTER_DEFAULT, Perk
from scoring.book.kinds import Kind

POINTS = "points"
_ORDER_FIELDS = frozenset({
    "order", "order_id", "out_order_no", "order_no", "perk", "decision", "decision_id", "waived_amount", "overdue",
    "defaulted", "settlement", "partner",
})  # fmt: skip
_ORDER_WORDS = re.compile(
    r"\border\b|\borders\b|\bperks?\b|\bpartners?\b|\bmerchants?\b|订单|商户|免押|先用后付|合作机构"
)


def graph(perks: Iterable[Perk], kinds: Mapping[str, Kind], counted: Iterable[str]) -> dict[str, set[str]]:
    """Give what has an effect on what; `counted` are the kinds that some scorecard counts."""
    perks = list(perks)
    fed = {f"record:{kind.code}" for kind in kinds.values() if fed_by_orders(kind)}
    found: dict[str, set[str]] = {f"record:{code}": {POINTS} for code in counted}
    found[POINTS] = {f"granted:{perk.id}" for perk in perks if not perk.closed}
    for perk in perks:
        found[f"default:{perk.id}"] = effects(perk) | fed
    return found


def effects(perk: Perk) -> set[str]:
    """Give what a default does, by the perk's own file: it pauses this perk, or it is not in the language."""
    return {f"granted:{perk.id}"} if perk.after_default in AFTER_DEFAULT else {perk.after_default}


def fed_by_orders(kind: Kind) -> bool:
    """Say whether records of a kind tell of orders: by a field, by who sends them, or by what they are called."""
    said = f"{kind.name} {kind.english} {kind.bureau} {kind.label}".lower()
    return any(field.name in _ORDER_FIELDS for field in kind.fields) or bool(_ORDER_WORDS.search(said))


def reach(found: Mapping[str, set[str]], start: str) -> set[str]:
    """Give everything that `start` has an effect on, however far away."""
    seen: set[str] = set()
    ahead = [start]
    while ahead:
        new = found.get(ahead.pop(), set()) - seen
        seen |= new
        ahead += sorted(new)
    return seen


def faults(
    perks: Iterable[tuple[str, Perk]], kinds: Mapping[str, Kind], counted: Iterable[str], file: str
) -> list[Fault]:
    """Give the kinds (of the catalogue `file`) and perks (each with its file) that open a way for a default."""
    named = list(perks)
    made = graph([perk for _, perk in named], kinds, counted)
    advice = "Take no record of an order, a partner or a perk: an order is never an input of points."
    found = [
        Fault(file, 1, f"{kind.code} would carry orders to points.", advice)
        for kind in kinds.values()
        if fed_by_orders(kind)
    ]
    for perk_file, perk in named:
        beyond = sorted(reach(made, f"default:{perk.id}") - {f"granted:{perk.id}"})
        if any(node == POINTS or node.startswith("granted:") or not node.startswith("record:") for node in beyond):
            told = f"A default of {perk.id} reaches {', '.join(beyond)}."
            found.append(Fault(perk_file, 1, told, "A default pauses its own perk and nothing else."))
    return found

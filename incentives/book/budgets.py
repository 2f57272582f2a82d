"""How much of a perk there is: so many grants or so much money, for whom, in which time.

Pure. A spent budget ends in the standard route with the reason `budget_spent`, for everybody alike. `district` counts
by the zone of the terminal, never by where a citizen lives; `citizen` counts what one holder used, and is told to them
alone.
"""

from collections import Counter

import msgspec

from core.policyfile import Table

PER = ("perk", "partner", "district", "citizen")
EVERY = ("day", "month", "year", "ever")
_MOST_COUNT = 100_000_000
_MOST_FEN = 1_000_000_000


class Budget(msgspec.Struct, frozen=True):
    """At most `count` orders and `amount` fen (waived), per what, in every what; None: no limit of that sort."""

    per: str
    every: str
    count: int | None
    amount: int | None


def read(perk: Table, *, money: bool) -> tuple[Budget, ...]:
    """Read the `[[perk.budget]]` tables of a perk; an `amount` only where the kind is about money."""
    found = [(table, _budget(table, money=money)) for table in perk.tables("budget")]
    twice = Counter((one.per, one.every) for _, one in found)
    for table, one in found:
        if twice[one.per, one.every] > 1:
            table.fault(f"Two budgets per {one.per}, every {one.every}.", "Keep one; it may hold count and amount.")
    return tuple(one for _, one in found)


def _budget(table: Table, *, money: bool) -> Budget:
    count = table.whole("count", 1, _MOST_COUNT) if table.has("count") else None
    amount = table.whole("amount", 1, _MOST_FEN) if money and table.has("amount") else None
    budget = Budget(table.choice("per", PER), table.choice("every", EVERY), count, amount)
    if count is None and amount is None and not table.has("amount"):
        table.fault("A budget without a limit.", "Write `count`, or `amount` in fen where money is waived.")
    table.close()
    return budget

"""How a pass is used: for how long, how often, and what is given back of its price. Pure.

The terms are everybody's, whoever paid what. Whoever returns a pass pays `visit_price` for each visit and never more
than was paid for it, so a holder who paid less keeps less to pay than a stranger after every number of visits:
min(less, n * price) <= min(more, n * price).
"""

import msgspec

from core.policyfile import Table
from incentives.book.kinds import Shape

BEGINS = ("purchase", "first_visit")
_LONGEST = 366
_MOST = 100
_FEN = 10_000_000


class Admission(msgspec.Struct, frozen=True):
    """A pass: valid `days` civil days from when it `begins`, for so many visits a day, and in all (None: any number).

    `visit_price`: fen that each visit costs when the pass is returned.
    """

    days: int
    begins: str
    per_day: int
    visit_price: int
    visits: int | None = None


def refund(one: Admission, paid: int, visits: int) -> int:
    """Give what of `paid` fen is given back after so many visits: never less than nothing, never more than was paid."""
    return max(paid - visits * one.visit_price, 0)


def read(perk: Table, shape: Shape, visits: int | None) -> Admission | None:
    """Read `admission = {…}`; `visits` is what the measure of that name grants."""
    if not (shape.admits and perk.has("admission")):
        return None
    table = perk.table("admission")
    found = Admission(
        days=table.whole("days", 1, _LONGEST),
        begins=table.choice("begins", BEGINS),
        per_day=table.whole("per_day", 1, _MOST),
        visit_price=table.whole("visit_price", 0, _FEN),
        visits=visits,
    )
    table.close()
    return found

"""What a partner's orders moved on a finished civil day: lines by the partner's own number, and sums that add up.

Read from the steps of orders, which are never rewritten: a finished day says the same for ever. Sums are of the whole
day on every page. Amounts in fen.
"""

from collections.abc import Mapping
from datetime import date, datetime

import asyncpg
import msgspec

from incentives.eligibility import TokenDead

KINDS = ("opened", "settled", "reversed", "forgiven", "paid")
_LINES = "select * from incentives.order_lines($1, $2, $3, $4, $5)"


class Line(msgspec.Struct, frozen=True):
    """One step: `kind` of `KINDS`; `amount` waived at `opened`, charged at `settled`, taken back, forgiven or paid."""

    kind: str
    out_order_no: str
    order_id: str
    perk: str
    seq: int
    at: datetime
    amount: int


class Sum(msgspec.Struct, frozen=True):
    """All steps of a kind: how many, and fen."""

    times: int
    amount: int


class Day(msgspec.Struct, frozen=True):
    """`charged` is what is left of `settled` after `reversed` and `forgiven`."""

    sums: Mapping[str, Sum]
    charged: int
    lines: list[Line]


async def read(
    pool: "asyncpg.Pool[asyncpg.Record]", *, token: bytes, day: date, after: tuple[str, int] | None, most: int
) -> Day:
    """Up to `most` lines after (number, seq); nothing before the day is over. TokenDead."""
    number, seq = after or (None, None)
    rows = await pool.fetch(_LINES, token, day, number, seq, most)
    if not rows:
        raise TokenDead("Ask for a new access token.")
    found = {row["kind"]: Sum(row["times"], row["amount"]) for row in rows if row["kind"] and row["object"] is None}
    sums = {kind: found.get(kind, Sum(0, 0)) for kind in KINDS}
    lines = [
        Line(row["kind"], row["out_order_no"], row["object"], row["perk"], row["seq"], row["at"], row["amount"])
        for row in rows
        if row["object"] is not None
    ]
    charged = sums["settled"].amount - sums["reversed"].amount - sums["forgiven"].amount
    return Day(sums, charged, lines)

"""How much of an amount a granted perk waives: one formula for every kind that is about money.

Pure. Of `amount` fen, from `from_amount` on, `percent` of it and `minus` fen on top are waived, never more than `cap`.
Above the cap either the part below it is still waived (`part`), or nothing (`refuse`). Nothing here promises that the
numbers are sensible: `incentives.book.proofs` does, for every amount. The database has the same formula
(`incentives.waives`).
"""

import msgspec

OVER_CAP = ("part", "refuse")
HUNDRED = 100


class Rate(msgspec.Struct, frozen=True):
    """The numbers of the formula; `cap`, `minus`, `from_amount` in fen, `percent` of the amount, rounded down."""

    cap: int
    over_cap: str
    percent: int = HUNDRED
    minus: int = 0
    from_amount: int = 0


def waives(rate: Rate, amount: int) -> int:
    """Give what is waived of `amount` fen, 0 or more."""
    if amount < rate.from_amount or (amount > rate.cap and rate.over_cap == "refuse"):
        return 0
    return min(rate.cap, amount * rate.percent // HUNDRED + rate.minus)

"""An operator's finished day of rides: sums by perk, day of the rides and outcome, and codes that were used twice.

A ride is settled on the civil day on which it was uploaded, with the day of the ride named beside it; a finished day
says the same for ever. What each outcome rests on is the operator's own knowledge: the signed list, the published perk,
its own lines; so no sum tells it anything of a person. Amounts in fen.
"""

from collections.abc import Mapping
from datetime import date

import msgspec

from incentives.citycard.entrance import Entrance

# What rides came to. `settled`: the discount is owed to the operator; every other one the operator bears, never the
# rider. `unlisted`: no list that was valid held the card. `code_used`: a code's second use. `over_limit`: beyond the
# published limit of a citizen, by the card's index. `budget_spent`: the perk's budget.
OUTCOMES = ("settled", "unlisted", "code_used", "over_limit", "budget_spent", "perk_closed", "terminal_unknown")
_DAY = "select * from incentives.rides_of_day($1, $2, $3, $4)"


class Sum(msgspec.Struct, frozen=True):
    """Rides of one perk, day and outcome: how many, their published fares and the discount, in fen."""

    perk: str
    day: date
    outcome: str
    rides: int
    fare: int
    discount: int


class Double(msgspec.Struct, frozen=True):
    """A ride by a code that was used before: by `other`, if that ride is the operator's own."""

    ride: str
    perk: str
    day: date
    other: str | None


class Day(msgspec.Struct, frozen=True):
    """Sums of the whole day, what of them is owed to the operator, and a page of doubles."""

    sums: tuple[Sum, ...]
    owed: Mapping[str, int]
    doubles: tuple[Double, ...]


async def read(entrance: Entrance, *, token: bytes, day: date, after: str | None, most: int) -> Day:
    """Up to `most` doubles after a ride; nothing before the day is over. TokenDead."""
    rows = await entrance.ask(_DAY, token, day, after, most)
    names = ("perk", "day", "outcome", "rides", "fare", "discount")
    sums = tuple(Sum(*(row[name] for name in names)) for row in rows if row["outcome"] is not None)
    doubles = tuple(Double(row["ride"], row["perk"], row["day"], row["other"]) for row in rows if row["ride"])
    owed: dict[str, int] = {}
    for one in sums:
        if one.outcome == OUTCOMES[0]:
            owed[one.perk] = owed.get(one.perk, 0) + one.discount
    return Day(sums, owed, doubles)

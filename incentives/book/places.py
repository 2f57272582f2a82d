"""Zones and programmes: places, partners and days at which a perk gives other published terms.

Pure. A zone is a set of terminals (and partners) and counts the `district` budgets; a programme is a time, for all or
for some partners and terminals. Both may state another cap, share or measure; never another threshold, and nothing
about a person can choose one. Where a programme and a zone both apply, the programme's terms do. Two of a sort that
could apply at once are a fault, so which terms rule is never a matter of order. The database chooses alike
(`incentives.perk_ruling`).
"""

from collections.abc import Iterable, Mapping
from datetime import date
from itertools import combinations

import msgspec

from core.policyfile import Table
from incentives.book import kinds
from incentives.book.kinds import Shape
from incentives.book.rates import HUNDRED, Rate

FEN = 10_000_000
_MOST = 100_000


class Place(msgspec.Struct, frozen=True):
    """A zone (`zone`) or programme; no partners or terminals means all, `from_on` and `until_on` are both included.

    `cap`, `percent`, `minus`, `from_amount` are None where the perk's own hold; `measures`: what a holder has here.
    """

    id: str
    name: str
    zone: bool
    partners: tuple[str, ...]
    terminals: tuple[str, ...]
    from_on: date | None
    until_on: date | None
    cap: int | None
    percent: int | None
    minus: int | None
    from_amount: int | None
    measures: dict[str, int]

    def covers(self, partner: str, terminal: str | None, day: date) -> bool:
        """Say whether a request at this partner's terminal on a day is here."""
        return (
            (not self.partners or partner in self.partners)
            and (not self.terminals or terminal in self.terminals)
            and (self.from_on is None or self.from_on <= day)
            and (self.until_on is None or day <= self.until_on)
        )

    def differs(self) -> bool:
        """Say whether it has terms of its own; a zone may only count a budget."""
        return bool(self.measures) or any(
            one is not None for one in (self.cap, self.percent, self.minus, self.from_amount)
        )

    def rate(self, own: Rate) -> Rate:
        """Give the perk's formula with what this place says otherwise."""
        said = {"cap": self.cap, "percent": self.percent, "minus": self.minus, "from_amount": self.from_amount}
        return msgspec.structs.replace(own, **{name: value for name, value in said.items() if value is not None})


def choose(places: Iterable[Place], *, partner: str, terminal: str | None, day: date) -> Place | None:
    """Give the place whose terms rule a request: the programme, else the zone, else None."""
    here = [one for one in places if one.covers(partner, terminal, day)]
    return min(here, key=lambda one: one.zone, default=None)


def read(perk: Table, shape: Shape) -> tuple[Place, ...]:
    """Read the `[[perk.zone]]` and `[[perk.programme]]` tables of a perk."""
    found = [(table, _place(table, shape, zone=True)) for table in perk.tables("zone")]
    found += [(table, _place(table, shape, zone=False)) for table in perk.tables("programme")]
    for (_, one), (table, other) in combinations(found, 2):
        if one.id == other.id:
            table.fault(f"`{one.id}` stands twice.", "Give each zone and programme its own id.", "id")
        elif one.zone == other.zone and _meet(one, other):
            advice = "Give them other terminals, partners or days: it must be clear which terms rule."
            table.fault(f"`{other.id}` and `{one.id}` can apply at once.", advice, "id")
    return tuple(one for _, one in found)


def _place(table: Table, shape: Shape, *, zone: bool) -> Place:
    money = shape.money

    def may(key: str, low: int, high: int) -> int | None:
        return table.whole(key, low, high) if money and table.has(key) else None

    place = Place(
        id=table.text("id"),
        name=table.text("name"),
        zone=zone,
        partners=table.words("partners", ()),
        terminals=table.words("terminals", ()),
        from_on=None if zone else table.day("from"),
        until_on=None if zone else table.day("until"),
        cap=may("cap", 0, FEN),
        percent=may("percent", 0, HUNDRED),
        minus=may("minus", 0, FEN),
        from_amount=may("from_amount", 0, FEN),
        measures=_measures(table, shape),
    )
    if zone and not place.terminals and not place.partners:
        table.fault("A zone without terminals or partners.", "Name them; terms for everywhere are the perk's own.")
    if place.from_on and place.until_on and place.from_on > place.until_on:
        table.fault("The programme ends before it begins.", "Correct one of the days.", "until")
    table.close()
    return place


def _measures(table: Table, shape: Shape) -> dict[str, int]:
    return {name: table.whole(name, 0, _MOST) for name in shape.measures if table.has(name)}


def _meet(one: Place, other: Place) -> bool:
    """Say whether some partner, terminal and day is at both."""
    return (
        _share(one.partners, other.partners)
        and _share(one.terminals, other.terminals)
        and (one.from_on or date.min) <= (other.until_on or date.max)
        and (other.from_on or date.min) <= (one.until_on or date.max)
    )


def _share(some: Iterable[str], others: Iterable[str]) -> bool:
    some, others = set(some), set(others)
    return not some or not others or bool(some & others)


def words(measures: Mapping[str, int]) -> str:
    """Read measures in words: 件数 20件、期限 60天."""
    gauges = kinds.GAUGES
    return "、".join(f"{gauges[name].name} {value}{gauges[name].unit}" for name, value in measures.items())

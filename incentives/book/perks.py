"""Perks as data: one threshold, one cap, published terms, and the route that everybody has without points.

Pure. `incentives.book.perkfile` reads them, and loads none of which `incentives.book.proofs` does not prove that nobody
is ever worse off than a stranger (PIPL article 24). Terms and amounts belong to the perk, its place and its day, never
to the person. A default can do one thing: pause this very perk until it is cured.
"""

from datetime import date
from math import log2

import msgspec

from incentives.book import rates
from incentives.book.admissions import Admission
from incentives.book.budgets import Budget
from incentives.book.kinds import KINDS
from incentives.book.places import Place
from incentives.book.rates import HUNDRED, Rate
from scoring.book.basis import Basis

ANSWERS = ("granted", "standard_route")
FIRST = "deposit_waiver"  # what every file was before kinds were written
AFTER_DEFAULT = ("pause_this_perk",)
HOLD_MINUTES, START_HOURS, LONGEST_DAYS = 15, 24, 30


class Measure(msgspec.Struct, frozen=True):
    """A number that everybody has: what a stranger has of it, and what a holder of the perk has."""

    name: str
    stranger: int
    granted: int


class Price(msgspec.Struct, frozen=True):
    """A price that is listed: what a stranger pays for `item`, in fen; what a holder pays follows from the rate."""

    item: str
    stranger: int


class Perk(msgspec.Struct, frozen=True):
    """One perk. `threshold` in tenths, `cap` in fen; no `terminals` means every terminal of its partners.

    `hold_minutes`: how long an order is held before it is agreed; `start_hours`: before it must start; `longest_days`:
    how far ahead its end may be planned. `starts_on` and `ends_on` are both included. `lines`: the only names that
    lines of its orders may have; none means any. `admission`: how a pass is used.
    """

    id: str
    name: str
    english: str
    sector: str
    threshold: int
    cap: int
    over_cap: str
    valid_months: int
    terms: str
    standard_route: str
    price_rule: str
    pia: str
    closed: bool
    terminals: tuple[str, ...]
    basis: Basis
    digest: str
    kind: str = FIRST
    field: str | None = None
    how_to_use: str = ""
    percent: int = HUNDRED
    minus: int = 0
    from_amount: int = 0
    measures: tuple[Measure, ...] = ()
    prices: tuple[Price, ...] = ()
    budgets: tuple[Budget, ...] = ()
    places: tuple[Place, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    hold_minutes: int = HOLD_MINUTES
    start_hours: int = START_HOURS
    longest_days: int = LONGEST_DAYS
    after_default: str = AFTER_DEFAULT[0]
    lines: tuple[str, ...] = ()
    admission: Admission | None = None

    def bits(self) -> float:
        """Say how much a partner can learn about one citizen from this perk's personal answers, in bits."""
        return log2(len(ANSWERS))

    def rate(self) -> Rate:
        """Give the perk's own formula; a place may have another."""
        return Rate(self.cap, self.over_cap, self.percent, self.minus, self.from_amount)

    def rests(self, day: date) -> bool:
        """Say whether it is closed on a day, or the day is outside its validity."""
        return self.closed or day < (self.starts_on or day) or day > (self.ends_on or day)


class Terms(msgspec.Struct, frozen=True):
    """What a granted perk means for an amount, in fen; `over_cap` says that the perk does not cover all of it."""

    waived_amount: int
    payable_deposit: int
    over_cap: bool


def price(perk: Perk, stranger: int, place: Place | None = None) -> int:
    """Give what a holder pays where a stranger pays `stranger` fen: never more, which is proved."""
    return terms(perk, stranger, place).payable_deposit


def terms(perk: Perk, amount: int, place: Place | None = None) -> Terms:
    """Give what is waived and what remains of `amount` fen, 0 or more, once the perk is granted (at a place)."""
    rate = place.rate(perk.rate()) if place else perk.rate()
    waived = rates.waives(rate, amount)
    return Terms(waived, amount - waived, over_cap=KINDS[perk.kind].money and amount > rate.cap)

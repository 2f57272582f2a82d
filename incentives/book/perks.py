"""Perks as data: one threshold, one cap, published terms, and the route that everybody has without points.

Pure. What a file says is read here; that nobody is ever worse off than a stranger (PIPL article 24) and that more
points never bring less is proved in `incentives.book.proofs`. A perk of the financial sector does not load (CIR article
7). Terms and amounts belong to the perk, its place and its day, never to the person. A default can do one thing: pause
this very perk until it is cured.
"""

import hashlib
import re
from datetime import date
from math import log2

import msgspec

from core.policyfile import Document, Table
from incentives.book import budgets, kinds, places, rates
from incentives.book.budgets import Budget
from incentives.book.kinds import KINDS, Shape
from incentives.book.places import FEN, Place
from incentives.book.rates import HUNDRED, Rate
from scoring.book import basis
from scoring.book.basis import Basis

SECTORS = (
    "library", "rental", "transit", "tourism", "health", "parking", "culture", "sport", "community", "service",
)  # fmt: skip
ANSWERS = ("granted", "standard_route")
AFTER_DEFAULT = ("pause_this_perk",)
_POINTS = 2_000
_MOST = 100_000
_FIRST = "deposit_waiver"  # what every file was before kinds were written
_HOLD, _START, _PLANNED = 15, 24, 30
_LONGEST_HOLD = 15 * 24 * 60
_FORBIDDEN = re.compile(r"financ|lend|\bloan|credit.card|insur|\bbank|金融|贷|保险|信用卡")
_NO_BANK = re.compile(r"power[ .-]?bank")


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
    how far ahead its end may be planned. `starts_on` and `ends_on` are both included.
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
    kind: str = _FIRST
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
    hold_minutes: int = _HOLD
    start_hours: int = _START
    longest_days: int = _PLANNED
    after_default: str = AFTER_DEFAULT[0]

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


def load(text: str, file: str) -> tuple[Perk, ...]:
    """Read the perks of one file; raises `policyfile.Faulty` with every fault found, each with its line."""
    document = Document(text, file)
    digest = hashlib.sha256(text.encode()).hexdigest()
    perks = read(document.root, digest)
    if len({perk.id for perk in perks}) < len(perks):
        document.root.fault("A perk stands twice.", "A perk has one threshold and one cap; keep one.", "perk")
    document.close()
    return perks


def read(root: Table, digest: str) -> tuple[Perk, ...]:
    """Read the perks of a root table; the schema is drawn from here."""
    perks = tuple(_perk(table, digest) for table in root.tables("perk", least=1))
    root.close()
    return perks


def terms(perk: Perk, amount: int, place: Place | None = None) -> Terms:
    """Give what is waived and what remains of `amount` fen, 0 or more, once the perk is granted (at a place)."""
    rate = place.rate(perk.rate()) if place else perk.rate()
    waived = rates.waives(rate, amount)
    return Terms(waived, amount - waived, over_cap=KINDS[perk.kind].money and amount > rate.cap)


def _perk(table: Table, digest: str) -> Perk:
    kind = table.choice("kind", tuple(KINDS), _FIRST)
    shape = KINDS[kind]
    perk = Perk(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        sector=table.choice("sector", SECTORS),
        threshold=table.tenths("threshold", 0, _POINTS),
        cap=table.whole("cap", 0, FEN) if shape.money else 0,
        over_cap=table.choice("over_cap", rates.OVER_CAP) if shape.money else "part",
        valid_months=table.whole("valid_months", 1, 12),
        terms=table.text("terms"),
        standard_route=table.text("standard_route"),
        price_rule=table.text("price_rule"),
        pia=table.text("pia"),
        closed=table.flag("closed"),
        terminals=table.words("terminals", ()),
        basis=basis.read(table),
        digest=digest,
        kind=kind,
        field=table.choice("field", tuple(kinds.FIELDS)) if shape.fielded else None,
        how_to_use=table.text("how_to_use", "-") if table.has("how_to_use") else "",
        percent=table.whole("percent", 0, HUNDRED, HUNDRED) if shape.money else HUNDRED,
        minus=table.whole("minus", 0, FEN, 0) if shape.money else 0,
        from_amount=table.whole("from_amount", 0, FEN, 0) if shape.money else 0,
        measures=_measures(table, shape),
        prices=_prices(table, shape),
        budgets=budgets.read(table, money=shape.money),
        places=places.read(table, shape),
        starts_on=table.day("starts_on") if table.has("starts_on") else None,
        ends_on=table.day("ends_on") if table.has("ends_on") else None,
        hold_minutes=table.whole("hold_minutes", 1, _LONGEST_HOLD, _HOLD),
        start_hours=table.whole("start_hours", 1, 720, _START),
        longest_days=table.whole("longest_days", 1, 366, _PLANNED),
        after_default=table.choice("after_default", AFTER_DEFAULT, AFTER_DEFAULT[0]),
    )
    _judge(table, perk)
    table.close()
    return perk


def _judge(table: Table, perk: Perk) -> None:
    """What one perk by itself may not be."""
    if _FORBIDDEN.search(_NO_BANK.sub("", f"{perk.id} {perk.name} {perk.english}".lower())):
        table.fault("Points may not serve finance or insurance.", "Take this perk out (CIR article 7).", "id")
    if perk.id.partition(".")[0] != perk.sector:
        table.fault(f"The id does not begin with `{perk.sector}.`", "Name it after its sector.", "id")
    if perk.starts_on and perk.ends_on and perk.ends_on < perk.starts_on:
        table.fault("The perk ends before it begins.", "Correct one of the days.", "ends_on")


def _measures(table: Table, shape: Shape) -> tuple[Measure, ...]:
    """`items = {stranger = 10, granted = 20}`: at least one where the kind has no money to give."""
    found: list[Measure] = []
    for name in shape.measures:
        if table.has(name):
            inner = table.table(name)
            found.append(Measure(name, inner.whole("stranger", 0, _MOST), inner.whole("granted", 0, _MOST)))
            inner.close()
    if not found and not shape.money:
        wanted = f"Write {' or '.join(shape.measures)} = {{stranger = …, granted = …}}."
        table.fault("It does not say what it gives beside what a stranger has.", wanted)
    return tuple(found)


def _prices(table: Table, shape: Shape) -> tuple[Price, ...]:
    """`[[perk.price]]`: the strangers' prices; one at least where the perk is about prices."""
    if not shape.priced:
        return ()
    found: list[Price] = []
    for inner in table.tables("price", least=1):
        found.append(Price(inner.text("item"), inner.whole("stranger", 0, FEN)))
        inner.close()
    return tuple(found)

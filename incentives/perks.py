"""Perks as data: one threshold, one cap, published terms, and the route that everybody has without points.

Pure. Promises that a perk only ever waives: for every amount 0 <= waived <= amount and what remains is at most the
amount, so nobody is ever worse off than a stranger (PIPL article 24). A perk of the financial sector does not load (CIR
article 7). Terms and amounts belong to the perk, never to the person.
"""

import hashlib
from math import log2

import msgspec

from core.policyfile import Document, Table
from scoring.book import basis
from scoring.book.basis import Basis

SECTORS = ("library", "rental", "transit", "tourism", "health", "parking", "culture", "sport", "community")
OVER_CAP = ("part", "refuse")
ANSWERS = ("granted", "standard_route")
_POINTS = 2_000
_FEN = 10_000_000
_FORBIDDEN = ("financ", "lend", "loan", "credit-card", "insur", "bank", "金融", "贷", "保险", "信用卡")


class Perk(msgspec.Struct, frozen=True):
    """One perk. `threshold` in tenths, `cap` in fen; no `terminals` means every terminal of its partners."""

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

    def bits(self) -> float:
        """Say how much a partner can learn about one citizen from this perk's personal answers, in bits."""
        return log2(len(ANSWERS))


class Terms(msgspec.Struct, frozen=True):
    """What a granted perk means for an amount, in fen; `over_cap` says that the perk does not cover all of it."""

    waived_amount: int
    payable_deposit: int
    over_cap: bool


def load(text: str, file: str) -> tuple[Perk, ...]:
    """Read the perks of one file; raises `policyfile.Faulty` with every fault found, each with its line."""
    document = Document(text, file)
    digest = hashlib.sha256(text.encode()).hexdigest()
    perks = tuple(_perk(table, digest) for table in document.root.tables("perk", least=1))
    if len({perk.id for perk in perks}) < len(perks):
        document.root.fault("A perk stands twice.", "A perk has one threshold and one cap; keep one.", "perk")
    document.root.close()
    document.close()
    return perks


def terms(perk: Perk, amount: int) -> Terms:
    """Give what is waived and what remains of a deposit of `amount` fen, 0 or more, once the perk is granted."""
    if amount > perk.cap and perk.over_cap == "refuse":
        return Terms(0, amount, over_cap=True)
    waived = min(amount, perk.cap)
    return Terms(waived, amount - waived, over_cap=amount > perk.cap)


def _perk(table: Table, digest: str) -> Perk:
    perk = Perk(
        id=table.text("id"),
        name=table.text("name"),
        english=table.text("english"),
        sector=table.choice("sector", SECTORS),
        threshold=table.tenths("threshold", 0, _POINTS),
        cap=table.whole("cap", 0, _FEN),
        over_cap=table.choice("over_cap", OVER_CAP),
        valid_months=table.whole("valid_months", 1, 12),
        terms=table.text("terms"),
        standard_route=table.text("standard_route"),
        price_rule=table.text("price_rule"),
        pia=table.text("pia"),
        closed=table.flag("closed"),
        terminals=table.words("terminals", ()),
        basis=basis.read(table),
        digest=digest,
    )
    if any(word in f"{perk.id} {perk.name} {perk.english}".lower() for word in _FORBIDDEN):
        table.fault("Points may not serve finance or insurance.", "Take this perk out (CIR article 7).", "id")
    if perk.id.partition(".")[0] != perk.sector:
        table.fault(f"The id does not begin with `{perk.sector}.`", "Name it after its sector.", "id")
    table.close()
    return perk

"""A whole scorecard: what counts, how much, until when, and what every value rests on.

Pure. A scorecard that loads is complete and consistent in itself: each kind is counted once, tiers rise, only
deductions break a clean year. Whether its statutes say what it claims is judged by `scoring.book.basis`.
"""

import hashlib
from datetime import date

import msgspec

from core.policyfile import Document, Table
from scoring.book import basis, cardfile
from scoring.book.basis import Basis, Claim
from scoring.book.rules import Deduction, Dimension, Hold, Indicator, Tier


class Scorecard(msgspec.Struct, frozen=True):
    """A whole scorecard; `digest` is the SHA-256 of the file's bytes, `claims` what its values rest on."""

    id: str
    title: str
    valid_from: date
    digest: str
    base: int
    low: int
    high: int
    deduction_cap: int
    dimensions: tuple[Dimension, ...]
    deductions: tuple[Deduction, ...]
    holds: tuple[Hold, ...]
    tiers: tuple[Tier, ...]
    basis: Basis
    claims: tuple[Claim, ...]

    def indicators(self) -> list[Indicator]:
        """Give every enabled indicator in the order of the file."""
        return [one for dimension in self.dimensions for one in dimension.indicators if one.enabled]

    def kinds(self) -> frozenset[str]:
        """Give the kinds with an indicator, deduction or hold in force; nothing else may be taken (PIPL art. 6)."""
        positive = {kind for indicator in self.indicators() for kind in indicator.kinds}
        return frozenset(positive | {one.kind for one in (*self.deductions, *self.holds)})

    def tier(self, points: int) -> Tier:
        """Give the tier that so many tenths reach."""
        return [tier for tier in self.tiers if tier.start <= points][-1]


def load(text: str, file: str) -> Scorecard:
    """Read a scorecard; raises `policyfile.Faulty` with every fault found, each with its line."""
    document = Document(text, file)
    card = read(document.root, hashlib.sha256(text.encode()).hexdigest())
    _consistent(card, document.root)
    document.close()
    return card


def read(root: Table, digest: str) -> Scorecard:
    """Read the whole file, table by table: what is asked for here is the language, and its published schema."""
    claims: list[Claim] = []
    whole = basis.read(root)
    scale = root.table("scale")
    cardfile.claim(scale, claims, "scale", "base", "low", "high", "deduction_cap")
    card = Scorecard(
        id=root.text("id"),
        title=root.text("title"),
        valid_from=root.day("valid_from"),
        digest=digest,
        base=scale.tenths("base", 0, cardfile.MOST),
        low=scale.tenths("low", 0, cardfile.MOST),
        high=scale.tenths("high", 0, cardfile.MOST),
        deduction_cap=scale.tenths("deduction_cap", 0, cardfile.MOST),
        dimensions=tuple(cardfile.dimension(table, claims) for table in root.tables("dimension", least=1)),
        deductions=tuple(cardfile.deduction(table, claims) for table in root.tables("deduction")),
        holds=tuple(cardfile.hold(table) for table in root.tables("hold")),
        tiers=tuple(cardfile.tier(table, claims) for table in root.tables("tier", least=1)),
        basis=whole,
        claims=tuple(claims),
    )
    scale.close()
    root.close()
    return card


def _consistent(card: Scorecard, root: Table) -> None:
    """Look across the tables: order, repetition and bounds."""
    if not card.low <= card.base <= card.high:
        root.fault("The base lies outside the scale.", "Keep low <= base <= high.", "scale")
    starts = [tier.start for tier in card.tiers]
    if starts != sorted(set(starts)) or (starts and starts[0] != card.low):
        root.fault("Tiers do not rise from the bottom of the scale.", "Order them, the first from `low`.", "tier")
    for inner in root.tables("dimension"):
        _once(inner, inner.tables("indicator"))
    indicators = [one for dimension in card.dimensions for one in dimension.indicators]
    parts = [*card.dimensions, *indicators, *card.deductions, *card.holds]
    _unique(root, [part.id for part in parts], "id")
    counted = [kind for one in indicators if one.measure != "clean_years" for kind in one.kinds]
    _unique(root, [*counted, *(one.kind for one in (*card.deductions, *card.holds))], "kind")
    for one in indicators:
        strange = set(one.kinds) - {deduction.kind for deduction in card.deductions}
        if one.measure == "clean_years" and strange:
            root.fault(
                f"{one.id} looks at {', '.join(sorted(strange))}, which deduct nothing.", "Name only deductions."
            )


def _once(dimension: Table, indicators: list[Table]) -> None:
    for table in indicators:
        seen: set[int] = set()
        for inner in table.tables("levels"):
            level = inner.whole("level", 1, 1_000)
            if level in seen:
                table.fault(f"Level {level} is given twice.", "Keep one.", "levels")
            seen.add(level)
    if not any(table.flag("enabled", default=True) for table in indicators):
        dimension.fault("No indicator of this dimension is enabled.", "Enable one or remove the dimension.")


def _unique(root: Table, names: list[str], what: str) -> None:
    for name in sorted({name for name in names if names.count(name) > 1}):
        root.fault(f"The {what} {name} is used twice.", f"Each {what} counts once; keep one of them.")

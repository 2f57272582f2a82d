"""The rule book's scorecard as frozen values: what counts, how much, until when, and what it rests on.

Pure. The language is closed: five measures (`count`, `sum`, `best`, `months`, `clean_years`) over groups of kinds in
calendar windows, caps, deductions, tier holds and tiers. All points are integers in tenths. A scorecard that loads is
complete and consistent in itself; whether its statutes say what it claims is judged by `scoring.basis`.
"""

import hashlib
from datetime import date

import msgspec

from scoring.basis import Basis, Claim

MEASURES = ("months", "sum", "count", "best", "clean_years")
PACES = ("month", "hour")


class Level(msgspec.Struct, frozen=True):
    """What one level of a honour or grade is called and gives, in tenths."""

    level: int
    name: str
    points: int


class Effort(msgspec.Struct, frozen=True):
    """What a person can do for one more unit: in words, in hours-equivalent, and at what pace it can be repeated."""

    text: str
    hours: int
    pace: str


class Indicator(msgspec.Struct, frozen=True):
    """One positive rule. `points` per unit and `cap` in tenths; `window_months` 0 means without end."""

    id: str
    name: str
    english: str
    enabled: bool
    kinds: tuple[str, ...]
    measure: str
    window_months: int
    years: int
    points: int
    cap: int
    unit: str
    levels: tuple[Level, ...]
    reason: str
    none: str
    effort: Effort | None
    basis: Basis


class Dimension(msgspec.Struct, frozen=True):
    """A group of indicators under one cap, in tenths."""

    id: str
    name: str
    english: str
    cap: int
    indicators: tuple[Indicator, ...]
    basis: Basis


class Deduction(msgspec.Struct, frozen=True):
    """One negative rule: `points` off per live record, at most `cap`; `hard_stop_months` after the act nothing counts."""

    id: str
    name: str
    english: str
    kind: str
    points: int
    cap: int
    hard_stop_months: int
    reason: str
    recover: str
    basis: Basis


class Hold(msgspec.Struct, frozen=True):
    """A record that holds the shown tier at the lowest and leaves the points alone."""

    id: str
    name: str
    english: str
    kind: str
    reason: str
    recover: str
    basis: Basis


class Tier(msgspec.Struct, frozen=True):
    """A tier and the points, in tenths, from which it is reached."""

    name: str
    start: int
    basis: Basis


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
    from scoring.cardfile import read  # noqa: PLC0415  the reader builds the structs above

    return read(text, file, hashlib.sha256(text.encode()).hexdigest())

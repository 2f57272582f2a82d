"""The shape of an explained score, as `GET /v1/me/score` shows it.

Pure. Points are decimals with one digit, made from integer tenths at the last moment.
"""

from datetime import date

import msgspec

from scoring.points.ways import NextTier


class BasisView(msgspec.Struct, frozen=True):
    """What a value rests on; a demo value says that no city adopted it."""

    kind: str
    cite: str


class Next(msgspec.Struct, frozen=True):
    """The next change if nothing new comes: the day, the points from then on, and a sentence; or how to gain more."""

    on: date | None
    points: float
    text: str


class IndicatorView(msgspec.Struct, frozen=True):
    """One indicator; `ends_on` is the day from which its points begin to fall."""

    id: str
    name: str
    points: float
    cap: float
    value: int
    unit: str
    reason: str
    basis: BasisView
    records: tuple[str, ...]
    ends_on: date | None
    next: Next | None


class DimensionView(msgspec.Struct, frozen=True):
    """One dimension with its indicators, `points` after its cap."""

    id: str
    name: str
    points: float
    cap: float
    indicators: tuple[IndicatorView, ...]


class DeductionView(msgspec.Struct, frozen=True):
    """One deduction that counts, `points` zero or negative; a tier hold has zero and `holds_tier`.

    `limits` says from which day it can count for how long at most.
    """

    id: str
    name: str
    points: float
    cap: float
    value: int
    unit: str
    reason: str
    basis: BasisView
    records: tuple[str, ...]
    holds_tier: bool
    ends_on: date | None
    next: Next | None
    limits: str


class Range(msgspec.Struct, frozen=True):
    """The scale, and the points that everybody begins with."""

    min: float
    max: float
    base: float


class CardView(msgspec.Struct, frozen=True):
    """Which scorecard, to the byte."""

    id: str
    digest: str
    title: str
    basis: BasisView


class ScoreView(msgspec.Struct, frozen=True):
    """The whole answer of `GET /v1/me/score`."""

    points: float
    range: Range
    tier: str
    held: bool
    as_of: date
    scorecard: CardView
    dimensions: tuple[DimensionView, ...]
    deductions: tuple[DeductionView, ...]
    deduction_cap: float
    next_tier: NextTier | None

"""The parts of a scorecard as frozen values: indicators, dimensions, deductions, holds and tiers.

Pure. The language is closed: five measures (`count`, `sum`, `best`, `months`, `clean_years`) over groups of kinds in
calendar windows. All points are integers in tenths.
"""

import msgspec

from scoring.book.basis import Basis

MEASURES = ("months", "sum", "count", "best", "clean_years")
PACES = ("month", "hour")
ANCHORS = {"display": ("effective_on",), "hard_stop": ("occurred_on",)}  # from which day a limit runs


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
    """One negative rule: `points` off per live record, at most `cap`, never `hard_stop_months` after the act.

    `display_months` from `display_anchor` on is how long such a record is displayed, and so counts. It is stated here
    for readers; a record's interval is made of it once, by the catalogue, when the record is taken (0: not stated).
    """

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
    display_months: int = 0
    display_anchor: str = ""
    hard_stop_anchor: str = ""


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

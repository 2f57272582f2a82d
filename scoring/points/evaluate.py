"""The evaluator: one citizen's rows and a scorecard become points, and the trace of it is the evaluation itself.

Pure, in integers only: tenths of points, civil dates, calendar months. `compile` builds the closures of a scorecard
once; the evaluator that it returns may be called for ever. What it promises: the result depends only on the set of
rows; rows that are not active, or dated before adulthood, or after `as_of`, never count; a positive never lowers the
points; the points stay inside the scale. It does not merge rows: `scoring.points.facts` does that first.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache

import msgspec

from core.errors import Conflict
from core.months import shift
from scoring.book.rules import Deduction, Dimension, Indicator
from scoring.book.scorecard import Scorecard
from scoring.points.facts import Fact
from scoring.points.measures import deduct, measure


class NotYetAdult(Conflict):
    """Nobody under 18 has points."""

    code = "not_yet_adult"
    title = "The person is not yet adult"


class IndicatorTrace(msgspec.Struct, frozen=True, gc=False):
    """What one indicator gave: tenths after its cap, the units counted, the rows behind them.

    `ends_on` is the first day on which the points are lower if nothing new comes, None when they stay.
    """

    id: str
    name: str
    points: int
    cap: int
    value: int
    unit: str
    facts: tuple[Fact, ...]
    ends_on: date | None


class DimensionTrace(msgspec.Struct, frozen=True, gc=False):
    """What one dimension gave, in tenths after its cap."""

    id: str
    name: str
    points: int
    cap: int
    indicators: tuple[IndicatorTrace, ...]


class DeductionTrace(msgspec.Struct, frozen=True, gc=False):
    """What one deduction took, positive tenths after its own cap; `ends_on` is the first day on which it is less."""

    id: str
    name: str
    points: int
    cap: int
    value: int
    facts: tuple[Fact, ...]
    ends_on: date | None


class Evaluation(msgspec.Struct, frozen=True):
    """Points of one citizen on one day, with everything that led to them; `tier` is as shown, lowest while held."""

    scorecard: str
    digest: str
    as_of: date
    adult_on: date
    points: int
    raw: int
    tier: str
    held: bool
    dimensions: tuple[DimensionTrace, ...]
    deductions: tuple[DeductionTrace, ...]
    holds: tuple[Fact, ...]

    def facts(self) -> list[Fact]:
        """Give every row that counted, each once."""
        rows = [fact for dimension in self.dimensions for one in dimension.indicators for fact in one.facts]
        rows += [fact for deduction in self.deductions for fact in deduction.facts]
        return list(dict.fromkeys([*rows, *self.holds]))

    def columns(self) -> dict[str, int | str | bool]:
        """Give the flat columns of the batch path's output, in its order."""
        row: dict[str, int | str | bool] = {"points_tenths": self.points, "tier": self.tier, "held": self.held}
        row |= {f"i_{one.id}": one.points for dimension in self.dimensions for one in dimension.indicators}
        row |= {f"d_{dimension.id}": dimension.points for dimension in self.dimensions}
        return row | {f"n_{deduction.id}": deduction.points for deduction in self.deductions}


Evaluator = Callable[[Iterable[Fact], date, date], Evaluation]

_Rule = Callable[[list[list[Fact]], date], IndicatorTrace]
_Group = Callable[[list[list[Fact]], date], DimensionTrace]
_Taken = Callable[[list[list[Fact]], date], DeductionTrace]


def compile(card: Scorecard) -> Evaluator:  # noqa: A001  the field's word; always called as `evaluate.compile`
    """Build the evaluator of a scorecard: rows of one citizen, the day of adulthood, the day asked for."""
    sort = _Sorter(card)
    dimensions = [_group(dimension, sort) for dimension in card.dimensions]
    deductions = [_taken(rule, sort.slots[rule.kind]) for rule in card.deductions]
    holding = [sort.slots[hold.kind] for hold in card.holds]
    identity, digest, base, low, high = card.id, card.digest, card.base, card.low, card.high
    most, lowest, tiers = card.deduction_cap, card.tiers[0].name, [(tier.start, tier.name) for tier in card.tiers[::-1]]

    def evaluate(facts: Iterable[Fact], adult_on: date, as_of: date) -> Evaluation:
        if as_of < adult_on:
            raise NotYetAdult("Nobody has points before the 18th birthday. Ask for a later day.")
        found = sort(facts, adult_on, as_of)
        raw, off = base, 0
        gained: list[DimensionTrace] = []
        for group in dimensions:
            trace = group(found, as_of)
            raw += trace.points
            gained.append(trace)
        lost: list[DeductionTrace] = []
        for taken in deductions:
            loss = taken(found, as_of)
            off += loss.points
            lost.append(loss)
        raw -= min(most, off)
        points = max(low, min(high, raw))
        holds = tuple([fact for slot in holding for fact in found[slot]])
        tier = lowest if holds else _tier(tiers, points)
        return Evaluation(
            identity, digest, as_of, adult_on, points, raw, tier, bool(holds), tuple(gained), tuple(lost), holds
        )

    return evaluate


def _tier(tiers: list[tuple[int, str]], points: int) -> str:
    """Give the highest tier that the points reach; the lowest begins at the bottom of the scale."""
    for start, name in tiers[:-1]:
        if start <= points:
            return name
    return tiers[-1][1]


class _Sorter:
    """Puts each row that counts on `as_of` into the slot of its rule."""

    def __init__(self, card: Scorecard) -> None:
        """Give every rule a slot: positives first, then deductions, then holds."""
        counted = [rule for rule in card.indicators() if rule.measure != "clean_years"]
        self.windows = tuple([rule.window_months for rule in counted])
        self.positives = len(counted)
        self.slots = {kind: slot for slot, rule in enumerate(counted) for kind in rule.kinds}
        for rule in (*card.deductions, *card.holds):
            self.slots[rule.kind] = len(self.windows)
            self.windows += (rule.hard_stop_months if isinstance(rule, Deduction) else 0,)
        self.cuts = lru_cache(maxsize=64)(self._cuts)

    def _cuts(self, as_of: date) -> tuple[date, ...]:
        return tuple([shift(as_of, -window) if window else date.min for window in self.windows])

    def __call__(self, facts: Iterable[Fact], adult_on: date, as_of: date) -> list[list[Fact]]:
        """Sort; a day counts when `as_of - window < day <= as_of`, an interval when it holds `as_of`."""
        cuts, slots, positives = self.cuts(as_of), self.slots, self.positives
        found: list[list[Fact]] = [[] for _ in cuts]
        for fact in facts:
            slot = slots.get(fact.kind, -1)
            if slot < 0 or fact.status != "active":
                continue
            day = fact.occurred_on
            if day < adult_on or day <= cuts[slot]:
                continue
            if day <= as_of if slot < positives else _holds(fact, as_of):
                found[slot].append(fact)
        return found


def _holds(fact: Fact, as_of: date) -> bool:
    """Say whether the interval [from_on, until_on) holds the day; one without a beginning never does."""
    return fact.from_on is not None and fact.from_on <= as_of and (fact.until_on is None or as_of < fact.until_on)


def _group(dimension: Dimension, sort: _Sorter) -> _Group:
    rules = [_rule(rule, sort) for rule in dimension.indicators if rule.enabled]
    identity, name, cap = dimension.id, dimension.name, dimension.cap

    def trace(found: list[list[Fact]], as_of: date) -> DimensionTrace:
        points = 0
        traces: list[IndicatorTrace] = []
        for rule in rules:
            one = rule(found, as_of)
            points += one.points
            traces.append(one)
        return DimensionTrace(identity, name, min(points, cap), cap, tuple(traces))

    return trace


def _rule(rule: Indicator, sort: _Sorter) -> _Rule:
    run, identity, name, cap, unit = measure(rule), rule.id, rule.name, rule.cap, rule.unit
    slots = list(dict.fromkeys(sort.slots[kind] for kind in rule.kinds))
    slot = slots[0]
    clean = rule.measure == "clean_years"
    start, units, _ = run((), date.max) if clean else (0, 0, None)
    nothing = IndicatorTrace(identity, name, start, cap, units, unit, (), None)

    def trace(found: list[list[Fact]], as_of: date) -> IndicatorTrace:
        rows: Sequence[Fact] = [row for each in slots for row in found[each]] if clean else found[slot]
        if not rows:
            return nothing
        points, value, ends_on = run(rows, as_of)
        return IndicatorTrace(identity, name, points, cap, value, unit, tuple(rows), ends_on)

    return trace


def _taken(rule: Deduction, slot: int) -> _Taken:
    run, identity, name, cap = deduct(rule), rule.id, rule.name, rule.cap
    nothing = DeductionTrace(identity, name, 0, cap, 0, (), None)

    def trace(found: list[list[Fact]], as_of: date) -> DeductionTrace:
        rows = found[slot]
        if not rows:
            return nothing
        points, value, ends_on = run(rows, as_of)
        return DeductionTrace(identity, name, points, cap, value, tuple(rows), ends_on)

    return trace

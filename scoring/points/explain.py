"""An evaluation in the citizen's words: every tenth with its rule, its records, what it rests on and what comes next.

Pure. The texts come from the scorecard; nothing is computed here that the evaluator did not count, and what comes next
is had by asking the same evaluator about a later day. Numbers shown are decimals with one digit, made from integer
tenths at the last moment. PIPL article 24, SZX articles 29 and 39.
"""

from collections.abc import Iterable
from datetime import date

from scoring.book.basis import Basis
from scoring.book.rules import Deduction, Hold, Indicator
from scoring.book.scorecard import Scorecard
from scoring.points import evaluate
from scoring.points.evaluate import DeductionTrace, DimensionTrace, Evaluation, Evaluator, IndicatorTrace
from scoring.points.facts import Fact
from scoring.points.scoreview import (
    BasisView,
    CardView,
    DeductionView,
    DimensionView,
    IndicatorView,
    Next,
    Range,
    ScoreView,
)
from scoring.points.ways import next_tier
from scoring.points.wording import clean_next, fill, limits, shown


def explain(evaluation: Evaluation, card: Scorecard, evaluator: Evaluator | None = None) -> ScoreView:
    """Explain an evaluation by the scorecard that made it; `evaluator` is that scorecard's, compiled when not given."""
    ask = evaluator or evaluate.compile(card)
    later = _Later(evaluation, ask)
    holds = tuple(_hold(hold, evaluation) for hold in card.holds if _held(hold, evaluation))
    lost = zip(card.deductions, evaluation.deductions, strict=True)
    return ScoreView(
        points=shown(evaluation.points),
        range=Range(shown(card.low), shown(card.high), shown(card.base)),
        tier=evaluation.tier,
        held=evaluation.held,
        as_of=evaluation.as_of,
        scorecard=CardView(card.id, card.digest, card.title, _basis(card.basis)),
        dimensions=tuple(_dimension(trace, card, later) for trace in evaluation.dimensions),
        deductions=tuple(_deduction(rule, trace, later) for rule, trace in lost if trace.value) + holds,
        deduction_cap=shown(card.deduction_cap),
        next_tier=next_tier(evaluation, card, ask),
    )


class _Later:
    """Asks the evaluator what the same rows give on a later day, each day once."""

    def __init__(self, evaluation: Evaluation, evaluator: Evaluator) -> None:
        """Keep the rows that counted."""
        self.now = evaluation
        self._facts = evaluation.facts()
        self._evaluator = evaluator
        self._known: dict[date, Evaluation] = {}

    def on(self, day: date) -> Evaluation:
        """Give the evaluation of a later day if nothing new comes."""
        if day not in self._known:
            self._known[day] = self._evaluator(self._facts, self.now.adult_on, day)
        return self._known[day]

    def indicator(self, identity: str, day: date) -> IndicatorTrace:
        """Give one indicator on a later day."""
        traces = (one for dimension in self.on(day).dimensions for one in dimension.indicators)
        return next(one for one in traces if one.id == identity)

    def deduction(self, identity: str, day: date) -> DeductionTrace:
        """Give one deduction on a later day."""
        return next(one for one in self.on(day).deductions if one.id == identity)


def _basis(basis: Basis) -> BasisView:
    return BasisView(basis.kind, basis.shown())


def _records(facts: Iterable[Fact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record for fact in facts for record in fact.records))


def _dimension(trace: DimensionTrace, card: Scorecard, later: _Later) -> DimensionView:
    rules = {rule.id: rule for rule in card.indicators()}
    indicators = tuple(_indicator(rules[one.id], one, later) for one in trace.indicators)
    return DimensionView(trace.id, trace.name, shown(trace.points), shown(trace.cap), indicators)


def _indicator(rule: Indicator, trace: IndicatorTrace, later: _Later) -> IndicatorView:
    facts = _behind(rule, trace)
    template = rule.reason if trace.points else rule.none
    reason = fill(template, rule, trace.points, trace.value)
    return IndicatorView(
        id=rule.id,
        name=rule.name,
        points=shown(trace.points),
        cap=shown(rule.cap),
        value=trace.value,
        unit=rule.unit,
        reason=reason,
        basis=_basis(rule.basis),
        records=_records(facts),
        ends_on=trace.ends_on,
        next=_next(rule, trace, later),
    )


def _behind(rule: Indicator, trace: IndicatorTrace) -> Iterable[Fact]:
    """Give the rows behind the points: for a best level, only those of that level."""
    if rule.measure != "best":
        return trace.facts
    return [fact for fact in trace.facts if fact.level == trace.value]


def _next(rule: Indicator, trace: IndicatorTrace, later: _Later) -> Next | None:
    """Say what changes next: the first fall, or the day on which a clean year returns, or what one more unit gives."""
    if trace.ends_on is not None:
        after = later.indicator(rule.id, trace.ends_on)
        text = f"如果没有新的记录，{trace.ends_on}起这一项变为{shown(after.points):g}分"
        return Next(trace.ends_on, shown(after.points), text)
    if rule.measure == "clean_years":
        day = clean_next(trace)
        if day is None:
            return None
        after = later.indicator(rule.id, day)
        return Next(day, shown(after.points), f"{day}起这一项变为{shown(after.points):g}分")
    if rule.effort is None or trace.points >= rule.cap:
        return None
    gain = min(rule.cap, trace.points + rule.points)
    unit = "一个月" if rule.effort.pace == "month" else "一小时"
    return Next(None, shown(gain), f"{rule.effort.text}，再有{unit}，这一项就是{shown(gain):g}分")


def _deduction(rule: Deduction, trace: DeductionTrace, later: _Later) -> DeductionView:
    follows = Next(None, 0.0, rule.recover)
    if trace.ends_on is not None:
        after = -later.deduction(rule.id, trace.ends_on).points
        follows = Next(
            trace.ends_on, shown(after), f"{rule.recover}；最迟{trace.ends_on}起这一项变为{shown(after):g}分"
        )
    return DeductionView(
        id=rule.id,
        name=rule.name,
        points=shown(-trace.points),
        cap=shown(-rule.cap),
        value=trace.value,
        unit="条",
        reason=fill(rule.reason, rule, trace.points, trace.value),
        basis=_basis(rule.basis),
        records=_records(trace.facts),
        holds_tier=False,
        ends_on=trace.ends_on,
        next=follows,
        limits=limits(rule),
    )


def _held(rule: Hold, evaluation: Evaluation) -> tuple[Fact, ...]:
    return tuple(fact for fact in evaluation.holds if fact.kind == rule.kind)


def _hold(rule: Hold, evaluation: Evaluation) -> DeductionView:
    facts = _held(rule, evaluation)
    ends = [fact.until_on for fact in facts]
    last = max([day for day in ends if day is not None], default=None) if None not in ends else None
    return DeductionView(
        id=rule.id,
        name=rule.name,
        points=0.0,
        cap=0.0,
        value=len(facts),
        unit="条",
        reason=rule.reason,
        basis=_basis(rule.basis),
        records=_records(facts),
        holds_tier=True,
        ends_on=last,
        next=Next(last, 0.0, rule.recover),
        limits="",
    )

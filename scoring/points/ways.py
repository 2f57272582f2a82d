"""What reaches the next tier with the least effort, found by asking the evaluator about days to come.

Pure. A way is one thing that a person can do, repeated at its natural pace (once a month, or up to eight hours a week),
or a day to wait for; where no single one reaches the tier, the least-effort mix of several done side by side. The gain
is what the evaluator gives on the day the effort is done, with everything that will have lapsed by then already gone;
so a promise made here holds if nothing else changes. Money is no effort and buys nothing.
"""

from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from scoring.book.rules import Effort, Indicator, Tier
from scoring.book.scorecard import Scorecard
from scoring.points import mixes
from scoring.points.efforts import TWO_YEARS, amount, future, whole
from scoring.points.evaluate import Evaluation, Evaluator
from scoring.points.wording import shown

_ROUNDS = 5


class Way(msgspec.Struct, frozen=True):
    """One way: what to do, the hours it takes in all, what it adds by the day it is done, and whether that is enough.

    `gain` is over what that day would bring anyhow; `on` is None when the day is not known.
    """

    indicator: str
    text: str
    effort_hours: int
    gain: float
    on: date | None
    reaches: bool


class NextTier(msgspec.Struct, frozen=True):
    """The next tier, the points missing, and the ways there: those that reach it first, the least effort first."""

    tier: str
    points_needed: float
    ways: tuple[Way, ...]


def next_tier(evaluation: Evaluation, card: Scorecard, evaluator: Evaluator) -> NextTier | None:
    """Give the ways to the next tier; None at the top. While the tier is held, the next one is that of the points."""
    earned = card.tier(evaluation.points)
    if evaluation.held and earned != card.tiers[0]:
        return NextTier(earned.name, 0.0, tuple(_released(evaluation, card, reaches=True)))
    target = next((tier for tier in card.tiers if tier.start > evaluation.points), None)
    if target is None:
        return None
    ways = [*_efforts(evaluation, card, evaluator, target), *_waits(evaluation, card, evaluator, target)]
    if not any(way.reaches for way in ways):
        ways += _together(evaluation, card, evaluator, target)
    ways += _released(evaluation, card, reaches=False)
    ways.sort(key=lambda way: (not way.reaches, way.effort_hours, way.on or date.max, way.indicator))
    return NextTier(target.name, shown(target.start - evaluation.points), tuple(ways))


def _released(evaluation: Evaluation, card: Scorecard, *, reaches: bool) -> Iterator[Way]:
    for hold in card.holds:
        ends = [fact.until_on for fact in evaluation.holds if fact.kind == hold.kind]
        known = [end for end in ends if end is not None]
        if ends:
            yield Way(hold.id, hold.recover, 0, 0.0, max(known) if len(known) == len(ends) else None, reaches=reaches)


def _efforts(evaluation: Evaluation, card: Scorecard, evaluator: Evaluator, target: Tier) -> Iterator[Way]:
    traces = {one.id: one for dimension in evaluation.dimensions for one in dimension.indicators}
    for rule in card.indicators():
        if rule.effort is not None and traces[rule.id].points < rule.cap:
            way = _effort(rule, rule.effort, evaluation, evaluator, target)
            if way is not None:
                yield way


def _effort(rule: Indicator, effort: Effort, evaluation: Evaluation, evaluator: Evaluator, target: Tier) -> Way | None:
    """Give the smallest number of units that reaches the tier, else the number that adds most; None if none adds."""
    facts = evaluation.facts()
    needed = -(-(target.start - evaluation.points) // rule.points)
    best: tuple[int, int, date] | None = None
    for units in _tries(rule, effort, needed):
        added = future(rule, effort, units, evaluation.as_of)
        day = max(fact.occurred_on for fact in added)
        points = evaluator([*facts, *added], evaluation.adult_on, day).points
        gain = points - evaluator(facts, evaluation.adult_on, day).points
        if points >= target.start:
            return _say(rule, effort, (units, gain, day), target)
        if gain > 0 and (best is None or gain > best[1]):
            best = units, gain, day
    return _say(rule, effort, best, None) if best else None


def _together(evaluation: Evaluation, card: Scorecard, evaluator: Evaluator, target: Tier) -> Iterator[Way]:
    """Give the least effort that reaches the tier by several things done side by side, none when nothing does."""
    rules = {rule.id: rule for rule in card.indicators() if rule.effort is not None}
    facts, base, slack = evaluation.facts(), evaluation, 0
    for _ in range(_ROUNDS):
        needed = target.start - base.points + slack
        mix = mixes.cheapest(_mixed(base, rules, needed), needed)
        if mix is None:
            return
        done = [(rules[name], effort, units) for name, units in mix.units if (effort := rules[name].effort)]
        added = [fact for rule, effort, units in done for fact in future(rule, effort, units, evaluation.as_of)]
        day = max(fact.occurred_on for fact in added)
        points = evaluator([*facts, *added], evaluation.adult_on, day).points
        if points >= target.start:
            gain = points - evaluator(facts, evaluation.adult_on, day).points
            said = "；".join(f"{effort.text}，再有{amount(effort, units)}" for _, effort, units in done)
            text = f"几件事一起做：{said}；到{day}一共可多得{shown(gain):g}分，就能达到“{target.name}”"
            yield Way("+".join(name for name, _ in mix.units), text, mix.hours, shown(gain), day, reaches=True)
            return
        # What lapses until then has room again, and has to be made up for: ask anew from that day on.
        later = evaluator(facts, evaluation.adult_on, day)
        slack = slack + target.start - points if later.points == base.points else 0
        base = later


def _mixed(evaluation: Evaluation, rules: Mapping[str, Indicator], needed: int) -> mixes.Least:
    """Give the cheapest mixes of what still has room under its own cap and that of its dimension."""
    parts: list[mixes.Least] = []
    for dimension in evaluation.dimensions:
        each = [
            mixes.efforts(rules[one.id], _most(rules[one.id], one.cap - one.points), one.cap - one.points)
            for one in dimension.indicators
            if one.id in rules
        ]
        parts.append(mixes.join(each, min(needed, dimension.cap - dimension.points)))
    return mixes.join(parts, needed)


def _most(rule: Indicator, room: int) -> int:
    """Give the units that fill the room, as many as fit into the window at their pace."""
    units = -(-room // rule.points)
    monthly = rule.effort is not None and rule.effort.pace == "month"
    return min(units, rule.window_months or TWO_YEARS, TWO_YEARS) if monthly else units


def _tries(rule: Indicator, effort: Effort, needed: int) -> list[int]:
    """Give the numbers worth asking about: enough by division, a little more for what lapses, and all there is."""
    most = whole(rule, effort)
    return sorted({min(most, max(1, units)) for units in (needed, needed + 1, needed + 2, needed + 4, most)})


def _say(rule: Indicator, effort: Effort, found: tuple[int, int, date], target: Tier | None) -> Way:
    units, gain, day = found
    end = f"就能达到“{target.name}”" if target else "离下一等级更近"
    sentence = f"{effort.text}，再有{amount(effort, units)}，到{day}可多得{shown(gain):g}分，{end}"
    return Way(rule.id, sentence, effort.hours * units, shown(gain), day, reaches=target is not None)


def _waits(evaluation: Evaluation, card: Scorecard, evaluator: Evaluator, target: Tier) -> Iterator[Way]:
    """Give the days on which a deduction stops by itself, and what can be settled at once."""
    facts = evaluation.facts()
    for rule, trace in zip(card.deductions, evaluation.deductions, strict=True):
        day = trace.ends_on or evaluation.as_of
        left = facts if trace.ends_on else [fact for fact in facts if fact not in trace.facts]
        points = evaluator(left, evaluation.adult_on, day).points if trace.points else 0
        if points > evaluation.points:
            gain = points - evaluation.points
            when = f"到{day}停止扣分" if trace.ends_on else rule.recover
            end = f"，就能达到“{target.name}”" if points >= target.start else ""
            text = f"{trace.name}：{when}，届时可多得{shown(gain):g}分{end}"
            yield Way(trace.id, text, 0, shown(gain), day, reaches=points >= target.start)

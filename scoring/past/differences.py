"""What is different between two evaluations of one citizen, part by part and in plain Chinese.

Pure. The first is what was, or what would be anyhow; the second is what came, or would come. It compares what the
evaluator counted and never counts itself: every number shown is a difference of two of its numbers.
"""

from collections.abc import Iterator

import msgspec

from scoring.book.scorecard import Scorecard
from scoring.points.evaluate import DeductionTrace, DimensionTrace, Evaluation, IndicatorTrace
from scoring.points.facts import Fact
from scoring.points.wording import shown


class Part(msgspec.Struct, frozen=True):
    """One indicator or deduction that gives something else than before: tenths, negative for what is taken.

    `came` and `went` are the rows that only the later, only the earlier evaluation counted.
    """

    id: str
    name: str
    before: int
    after: int
    came: tuple[Fact, ...]
    went: tuple[Fact, ...]


def parts(before: Evaluation, after: Evaluation) -> tuple[Part, ...]:
    """Every part that differs, in the order of the scorecard; parts that only one scorecard has stand last."""
    old, new = _every(before), _every(after)
    named = [*new, *(one for one in old if one not in new)]
    found = (_part(identity, old.get(identity), new.get(identity)) for identity in named)
    return tuple(part for part in found if part.before != part.after)


def remarks(before: Evaluation, after: Evaluation) -> Iterator[str]:
    """Say why the whole moved less than its parts: a full dimension, the cap of deductions, the end of the scale."""
    old = {one.id: one for one in before.dimensions}
    for one in after.dimensions:
        gained = _inside(one) - (_inside(old[one.id]) if one.id in old else 0)
        if one.id in old and gained != one.points - old[one.id].points:
            yield f"“{one.name}”一共最多{shown(one.cap):g}分，超出的部分不计"
    gone, least = (sum(one.points for one in each.deductions) for each in (before, after))
    counted = [each.raw - sum(one.points for one in each.dimensions) for each in (before, after)]
    if before.digest == after.digest and counted[0] - counted[1] != least - gone:
        yield "各项扣分合计有上限，超出的部分不扣"
    if before.raw != before.points or after.raw != after.points:
        yield "总分不会低于最低分，也不会高于最高分"


def rule_change(before: Evaluation, after: Evaluation, card: Scorecard | None = None) -> str:
    """Say that another scorecard rules, empty when it is the same."""
    if before.digest == after.digest:
        return ""
    return f"评分规则由{before.scorecard}版改为{card.id if card else after.scorecard}版"


def tier_change(before: Evaluation, after: Evaluation) -> str:
    """Say how the tier moved, empty when it did not."""
    if before.held != after.held:
        return f"等级暂按“{after.tier}”显示" if after.held else f"等级恢复为“{after.tier}”"
    return f"等级由“{before.tier}”变为“{after.tier}”" if before.tier != after.tier else ""


def signed(tenths: int) -> str:
    """Say more or less: 多0.5分, 少2分."""
    return f"{'多' if tenths > 0 else '少'}{shown(abs(tenths)):g}分"


def _every(evaluation: Evaluation) -> dict[str, IndicatorTrace | DeductionTrace]:
    gained: list[IndicatorTrace | DeductionTrace] = [
        one for dimension in evaluation.dimensions for one in dimension.indicators
    ]
    return {one.id: one for one in [*gained, *evaluation.deductions]}


def _part(
    identity: str, old: IndicatorTrace | DeductionTrace | None, new: IndicatorTrace | DeductionTrace | None
) -> Part:
    before, after = (old.facts if old else ()), (new.facts if new else ())
    kept = {record for fact in after for record in fact.records}, {record for fact in before for record in fact.records}
    name = new.name if new else old.name if old else identity
    return Part(
        identity,
        name,
        _points(old),
        _points(new),
        came=tuple(fact for fact in after if not kept[1] & set(fact.records)),
        went=tuple(fact for fact in before if not kept[0] & set(fact.records)),
    )


def _points(trace: IndicatorTrace | DeductionTrace | None) -> int:
    if trace is None:
        return 0
    return -trace.points if isinstance(trace, DeductionTrace) else trace.points


def _inside(dimension: DimensionTrace) -> int:
    return sum(one.points for one in dimension.indicators)

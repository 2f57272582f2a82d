"""The path of a case for readers who are no programmers: records, indicators, dimensions, deductions, points, tier.

Pure. Plain Chinese with the arithmetic written out, so that every number can be checked with a pencil. Nothing is
counted here: each figure is the evaluator's own, and beside it stands what it is made of.
"""

from collections.abc import Iterator

from scoring.book.rules import Deduction, Indicator
from scoring.points.cases import Case
from scoring.points.evaluate import DeductionTrace, DimensionTrace, IndicatorTrace
from scoring.points.facts import Fact, facts
from scoring.points.wording import level_name, shown, window

_NAMED = 4
_STATUS = {
    "active": "不在期限内，或不满18岁",
    "disputed": "异议处理中",
    "hidden": "本人选择不计分",
    "repaired": "信用修复完成",
    "revoked": "报送单位已撤销",
}


def path(case: Case) -> str:
    """Give the whole path, line by line."""
    return "\n".join(
        [*_head(case), *_records(case), *_indicators(case), *_dimensions(case), *_taken(case), *_whole(case)]
    )


def _head(case: Case) -> Iterator[str]:
    yield f"案例：{case.title}"
    yield f"情况：{case.situation}"
    yield f"计分日期：{case.evaluation.as_of}，按{case.evaluation.scorecard}版规则；本人出生于{case.born}。"


def _records(case: Case) -> Iterator[str]:
    yield "\n第一步 哪些记录计入"
    counted = set(case.evaluation.facts())
    for one in _parts(case):
        if one.facts and one.id not in _clean(case):
            yield f"  {one.name}：{_labels(case, one.facts)}"
    for hold in case.evaluation.holds:
        yield f"  暂停等级：{_labels(case, (hold,))}"
    for status, why in _STATUS.items():
        out = tuple(fact for fact in facts(case.rows) if fact not in counted and fact.status == status)
        if out:
            yield f"  不计入（{why}）：{_labels(case, out)}"
    for line in case.refused:
        yield f"  没有收下：{line}"
    if not case.rows and not case.refused:
        yield "  没有任何记录"


def _parts(case: Case) -> list[IndicatorTrace | DeductionTrace]:
    gained: list[IndicatorTrace | DeductionTrace] = [
        one for dimension in case.evaluation.dimensions for one in dimension.indicators
    ]
    return [*gained, *case.evaluation.deductions]


def _clean(case: Case) -> set[str]:
    return {one.id for one in case.book.card.indicators() if one.measure == "clean_years"}


def _labels(case: Case, found: tuple[Fact, ...]) -> str:
    named = [case.book.catalogue.label(one.kind, one.occurred_on, one.quantity, one.level) for one in found]
    several = dict.fromkeys(named)
    if len(several) <= _NAMED:
        return "、".join(several) + (f"（共{len(found)}条）" if len(found) > len(several) else "")
    names = list(several)
    return f"{names[0]}、{names[1]} …… {names[-1]}（共{len(found)}条）"


def _indicators(case: Case) -> Iterator[str]:
    yield "\n第二步 每个指标得多少分"
    rules = {rule.id: rule for rule in case.book.card.indicators()}
    silent: list[str] = []
    for dimension in case.evaluation.dimensions:
        for one in dimension.indicators:
            if one.points or one.facts:
                yield f"  {one.name}：{_sum(rules[one.id], one)}"
            else:
                silent.append(one.name)
    if silent:
        yield f"  没有记录、得0分的：{'、'.join(silent)}"


def _sum(rule: Indicator, one: IndicatorTrace) -> str:
    if rule.measure == "best":
        return f"最高是{level_name(rule, one.value) or '没有列出的级别'}，得{shown(one.points):g}分"
    period = f"最近{rule.years}个年度" if rule.measure == "clean_years" else f"最近{window(rule.window_months)}"
    made = one.value * rule.points
    over = f"，超过上限，按{shown(one.cap):g}分计" if made > one.cap else ""
    return f"{period}里{one.value}{one.unit} × {shown(rule.points):g}分 = {shown(made):g}分{over}"


def _dimensions(case: Case) -> Iterator[str]:
    yield "\n第三步 每个维度相加，不超过上限"
    for one in case.evaluation.dimensions:
        yield f"  {one.name}：{_added(one)}（上限{shown(one.cap):g}分）"


def _added(one: DimensionTrace) -> str:
    made = [each.points for each in one.indicators if each.points]
    total = sum(made)
    terms = " + ".join(f"{shown(each):g}" for each in made)
    whole = f"{terms} = {shown(total):g}分" if len(made) > 1 else f"{shown(total):g}分"
    return whole if total == one.points else f"{whole}，按{shown(one.points):g}分计"


def _taken(case: Case) -> Iterator[str]:
    yield "\n第四步 扣分"
    rules = {rule.id: rule for rule in case.book.card.deductions}
    lost = [one for one in case.evaluation.deductions if one.value]
    for one in lost:
        yield f"  {one.name}：{_off(rules[one.id], one)}"
    whole, most = sum(one.points for one in lost), case.book.card.deduction_cap
    over = f"，超过合计上限，按{shown(most):g}分扣" if whole > most else ""
    yield f"  扣分合计：{shown(whole):g}分{over}" if lost else "  没有扣分"


def _off(rule: Deduction, one: DeductionTrace) -> str:
    made = one.value * rule.points
    over = f"，超过上限，按{shown(one.cap):g}分扣" if made > one.cap else ""
    ends = f"；{one.ends_on}起减少" if one.ends_on else ""
    return f"{one.value}项 × {shown(rule.points):g}分 = {shown(made):g}分{over}{ends}"


def _whole(case: Case) -> Iterator[str]:
    found, card = case.evaluation, case.book.card
    gained = "".join(f" + {shown(one.points):g}" for one in found.dimensions)
    off = min(card.deduction_cap, sum(one.points for one in found.deductions))
    yield "\n第五步 总分和等级"
    yield f"  {shown(card.base):g}{gained} - {shown(off):g} = {shown(found.raw):g}分"
    if found.raw != found.points:
        yield f"  分数在{shown(card.low):g}到{shown(card.high):g}之间，所以是{shown(found.points):g}分"
    reached = card.tier(found.points)
    above = next((tier for tier in card.tiers if tier.start > found.points), None)
    upper = f"，不到{shown(above.start):g}分（{above.name}）" if above else ""
    yield f"  {shown(found.points):g}分满{shown(reached.start):g}分（{reached.name}）{upper}，等级是“{reached.name}”"
    if found.held:
        yield f"  因为有暂停等级的记录，等级暂按“{found.tier}”显示，分数不变"

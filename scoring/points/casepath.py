"""The path of a case for readers who are no programmers: records, indicators, dimensions, deductions, points, tier.

Pure. Plain Chinese with the arithmetic written out, so that every number can be checked with a pencil. Nothing is
counted here: each figure is the evaluator's own, and beside it stands what it is made of.
"""

from collections.abc import Iterator

from scoring.book.rules import Deduction, Indicator
from scoring.points import casedeductions as deductions
from scoring.points import caserecords as records
from scoring.points.cases import Case
from scoring.points.evaluate import DeductionTrace, DimensionTrace, Evaluation, IndicatorTrace
from scoring.points.facts import HOURS, HOURS_A_DAY
from scoring.points.wording import level_name, shown

_DAYS_A_YEAR = 365


def path(case: Case) -> str:
    """Give the whole path, line by line."""
    return "\n".join(
        [
            *_head(case),
            *_records(case),
            *_indicators(case),
            *_dimensions(case),
            *_taken(case),
            *_whole(case),
            *_agrees(case),
        ]
    )


def _head(case: Case) -> Iterator[str]:
    yield f"案例：{case.title}"
    yield f"情况：{case.situation}"
    yield f"计分日期：{case.evaluation.as_of}，按{case.evaluation.scorecard}版规则；本人出生于{case.born}。"
    if case.days_made_up:
        yield "说明：案例只写了月数，具体日期是系统代填的。"


def _records(case: Case) -> Iterator[str]:
    yield "\n第一步 哪些记录计入"
    yield from (f"  {line}" for line in records.told(case))


def _indicators(case: Case) -> Iterator[str]:
    yield "\n第二步 每个指标得多少分"
    rules = {rule.id: rule for rule in case.book.card.indicators()}
    silent: list[str] = []
    for dimension in case.evaluation.dimensions:
        for one in dimension.indicators:
            if one.points or one.facts:
                yield f"  {one.name}：{_sum(case, rules[one.id], one)}"
                if rules[one.id].measure == "clean_years" and one.facts:
                    yield f"    不计的年度：{deductions.lost_years(case, one, rules[one.id].years)}"
            else:
                silent.append(one.name)
    if silent:
        yield f"  没有记录、得0分的：{'；'.join(silent)}"


def _sum(case: Case, rule: Indicator, one: IndicatorTrace) -> str:
    if rule.measure == "best":
        return _best(rule, one)
    period = f"最近{rule.years}个年度" if rule.measure == "clean_years" else _window(rule)
    made, each = one.value * rule.points, f"{shown(rule.points):g}"
    over = f"，超过上限，按{shown(one.cap):g}分计" if made > one.cap else ""
    units = f"{period}里有{one.value}{one.unit}{_once(case, rule, one)}"
    return f"{units}，每{one.unit}{each}分，{one.value} × {each} = {shown(made):g}分{over}"


def _once(case: Case, rule: Indicator, one: IndicatorTrace) -> str:
    """Say what was counted once though it came several times, and what counts without any record."""
    if rule.measure == "clean_years":
        days = (case.evaluation.as_of - case.evaluation.adult_on).days
        return "（18岁以前的时间算清白）" if days < rule.years * _DAYS_A_YEAR else ""
    if rule.measure == "months" and (count := records.counted(one.facts)) > one.value:
        return f"（共{count}条记录，同一个月只算一次）"
    behind = {record for fact in one.facts if fact.kind == HOURS for record in fact.records}
    sent = sum(row.quantity for row in case.rows if row.id in behind)
    return f"（报送了{sent}{one.unit}，每天最多计{HOURS_A_DAY}{one.unit}）" if sent > one.value else ""


def _best(rule: Indicator, one: IndicatorTrace) -> str:
    """Name the highest level and, where there are several, what each of them gives."""
    gives = {level.level: f"{level.name}{shown(level.points):g}分" for level in rule.levels}
    held = [gives[level] for level in sorted({fact.level or 0 for fact in one.facts}) if level in gives]
    others = f"（{'；'.join(held)}；只取最高）" if len(held) > 1 else ""
    best = level_name(rule, one.value) or "没有列出的级别"
    return f"{_window(rule)}里最高是{best}，得{shown(one.points):g}分{others}"


def _window(rule: Indicator) -> str:
    """Name the window in months, as the scorecard writes it."""
    return f"最近{rule.window_months}个月" if rule.window_months else "历年"


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
        yield from (f"    {line}" for line in deductions.ends(case, rules[one.id], one))
    whole, most = sum(one.points for one in lost), case.book.card.deduction_cap
    over = f"，超过合计上限，按{shown(most):g}分扣" if whole > most else ""
    yield f"  扣分合计：{shown(whole):g}分{over}" if lost else "  没有扣分"
    yield from (f"  {line}" for line in deductions.besides(case))


def _off(rule: Deduction, one: DeductionTrace) -> str:
    made = one.value * rule.points
    over = f"，超过上限，按{shown(one.cap):g}分扣" if made > one.cap else ""
    ends = f"；自{one.ends_on}起重新合计" if one.ends_on and made > one.cap else ""
    return f"{one.value}项 × {shown(rule.points):g}分 = {shown(made):g}分{over}{ends}"


def _whole(case: Case) -> Iterator[str]:
    found, card = case.evaluation, case.book.card
    yield "\n第五步 总分和等级"
    yield f"  {_terms(found, card.base, card.deduction_cap)} = {shown(found.raw):g}分"
    if found.raw != found.points:
        yield f"  分数在{shown(card.low):g}到{shown(card.high):g}之间，所以是{shown(found.points):g}分"
    reached = card.tier(found.points)
    above = next((tier for tier in card.tiers if tier.start > found.points), None)
    lower = f"已满{shown(reached.start):g}分（{reached.name}）" if reached.start > card.low else ""
    upper = f"不到{shown(above.start):g}分（{above.name}）" if above else ""
    reasons = "，".join(one for one in (f"{shown(found.points):g}分", lower, upper) if one)
    yield f"  {reasons}，等级是“{reached.name}”"
    if found.held:
        yield f"  因为有暂停等级的记录，等级暂按“{found.tier}”显示，分数不变"


def _terms(found: Evaluation, base: int, most: int) -> str:
    """Name each term of the last sum; what gives nothing is left out."""
    gained = "".join(f" + {one.name}{shown(one.points):g}" for one in found.dimensions if one.points)
    off = min(most, sum(one.points for one in found.deductions))
    return f"基础分{shown(base):g}{gained}" + (f" - 扣分{shown(off):g}" if off else "")


def _agrees(case: Case) -> Iterator[str]:
    found = case.evaluation
    came = f"{shown(found.points):g}分，{found.tier}"
    if not case.differs:
        yield f"\n与案例预期一致：{came}"
        return
    yield f"\n与案例预期不一致：案例写的是{shown(case.points):g}分，{case.tier}；按规则是{came}"
    yield from (f"  {fault}" for fault in case.differs)

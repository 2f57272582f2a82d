"""The path of a case for readers who are no programmers: records, indicators, dimensions, deductions, points, tier.

Pure. Plain Chinese with the arithmetic written out, so that every number can be checked with a pencil. Nothing is
counted here: each figure is the evaluator's own, and beside it stands what it is made of.
"""

from collections.abc import Iterator

from scoring.book.rules import Deduction, Indicator
from scoring.points import casedeductions as deductions
from scoring.points.cases import Case, Refused
from scoring.points.evaluate import DeductionTrace, DimensionTrace, IndicatorTrace
from scoring.points.facts import Fact, facts
from scoring.points.wording import level_name, shown

_NAMED = 4
_STATUS = {
    "disputed": "异议处理中",
    "hidden": "本人选择不计分",
    "repaired": "信用修复完成",
    "revoked": "报送单位已撤销",
}
_REFUSED = {
    "minor": "18岁以前的事不收",
    "nothing_to_record": "不构成可以记录的事项",
    "missing_document": "缺少决定文书",
    "missing_notice": "缺少送达凭据",
    "malformed": "填写不符合要求",
    "simple_procedure": "简易程序的处罚不收",
    "future_date": "日期在计分日之后",
    "kind_not_permitted": "这一种类没有启用",
}


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
    for one in _parts(case):
        if one.facts and one.id not in _clean(case):
            yield from _listed(case, one)
    for line in deductions.dated(case, case.evaluation.holds):
        yield f"  暂停等级：{line}"
    for why, out in _left_out(case).items():
        for line in _described(case, out):
            yield f"  不计入（{why}）：{line}"
    yield from (f"  没有收下：{_refused(case, one)}" for one in case.refused)
    if not case.rows and not case.refused:
        yield "  没有任何记录"


def _refused(case: Case, one: Refused) -> str:
    """Name the line, so that two of a kind can be told apart, and say why it was not taken."""
    day = f"；{one.on}的一条" if one.on else ""
    wrote = f"，填的是“{'、'.join(one.wrote)}”" if one.wrote else ""
    why = f"{_REFUSED.get(one.code, '见退回代码')}（{one.code}）"
    return f"{case.book.catalogue.kinds[one.kind].name}（{one.kind}）：{why}{day}{wrote}"


def _listed(case: Case, one: IndicatorTrace | DeductionTrace) -> Iterator[str]:
    if isinstance(one, DeductionTrace):
        yield from (f"  {line}" for line in deductions.dated(case, one.facts))
        return
    codes = "、".join(dict.fromkeys(fact.kind for fact in one.facts))
    yield f"  {one.name}（{codes}）：{_labels(case, one.facts)}"


def _left_out(case: Case) -> dict[str, list[Fact]]:
    """Group what does not count by the reason."""
    counted = set(case.evaluation.facts())
    groups: dict[str, list[Fact]] = {}
    for fact in facts(case.rows):
        if fact not in counted:
            groups.setdefault(_STATUS.get(fact.status) or _out(case, fact), []).append(fact)
    return groups


def _out(case: Case, fact: Fact) -> str:
    """Say why a live record does not count on the day."""
    as_of = case.evaluation.as_of
    if fact.occurred_on < case.evaluation.adult_on:
        return "18岁以前"
    if fact.from_on is None:
        return "超出计分期限" if fact.occurred_on <= as_of else "日期在计分日之后"
    return "还没有到开始的日子" if fact.from_on > as_of else "期限已满或已了结"


def _described(case: Case, out: list[Fact]) -> list[str]:
    """Describe what does not count: deductions by their days, the rest together."""
    negative = [fact for fact in out if fact.from_on]
    positive = tuple(fact for fact in out if not fact.from_on)
    codes = "、".join(dict.fromkeys(f"{case.book.catalogue.kinds[one.kind].name}（{one.kind}）" for one in positive))
    return [*deductions.dated(case, negative), *([f"{codes}：{_labels(case, positive)}"] if positive else [])]


def _parts(case: Case) -> list[IndicatorTrace | DeductionTrace]:
    gained: list[IndicatorTrace | DeductionTrace] = [
        one for dimension in case.evaluation.dimensions for one in dimension.indicators
    ]
    return [*gained, *case.evaluation.deductions]


def _clean(case: Case) -> set[str]:
    return {one.id for one in case.book.card.indicators() if one.measure == "clean_years"}


def _labels(case: Case, found: tuple[Fact, ...]) -> str:
    named = [_label(case, one) for one in found]
    several = dict.fromkeys(named)
    if len(several) <= _NAMED:
        return "、".join(several) + (f"（共{len(found)}条）" if len(found) > len(several) else "")
    names = list(several)
    return f"{names[0]}、{names[1]} …… {names[-1]}（共{len(found)}条）"


def _label(case: Case, fact: Fact) -> str:
    """Give the catalogue's label, with a level called as the scorecard calls it."""
    book = case.book.catalogue
    label = book.label(fact.kind, fact.occurred_on, fact.quantity, fact.level)
    ours = book.level_name(fact.kind, fact.level)
    names = (level_name(rule, fact.level or 0) for rule in case.book.card.indicators() if fact.kind in rule.kinds)
    return label.replace(ours, next(names, "") or ours) if ours else label


def _indicators(case: Case) -> Iterator[str]:
    yield "\n第二步 每个指标得多少分"
    rules = {rule.id: rule for rule in case.book.card.indicators()}
    silent: list[str] = []
    for dimension in case.evaluation.dimensions:
        for one in dimension.indicators:
            if one.points or one.facts:
                yield f"  {one.name}：{_sum(rules[one.id], one)}"
                if rules[one.id].measure == "clean_years" and one.facts:
                    yield f"    不计的年度：{deductions.lost_years(case, one, rules[one.id].years)}"
            else:
                silent.append(one.name)
    if silent:
        yield f"  没有记录、得0分的：{'、'.join(silent)}"
    off = [rule.name for dimension in case.book.card.dimensions for rule in dimension.indicators if not rule.enabled]
    if off:
        yield f"  已停用、不计分的：{'、'.join(off)}"


def _sum(rule: Indicator, one: IndicatorTrace) -> str:
    if rule.measure == "best":
        return _best(rule, one)
    period = f"最近{rule.years}个年度" if rule.measure == "clean_years" else _window(rule)
    made = one.value * rule.points
    over = f"，超过上限，按{shown(one.cap):g}分计" if made > one.cap else ""
    return f"{period}里{one.value}{one.unit} × {shown(rule.points):g}分 = {shown(made):g}分{over}"


def _best(rule: Indicator, one: IndicatorTrace) -> str:
    """Name the highest level and, where there are several, what each of them gives."""
    gives = {level.level: f"{level.name}{shown(level.points):g}分" for level in rule.levels}
    held = [gives[level] for level in sorted({fact.level or 0 for fact in one.facts}) if level in gives]
    others = f"（{'、'.join(held)}，只取最高）" if len(held) > 1 else ""
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
    ends = f"；{one.ends_on}起减少" if one.ends_on and made > one.cap else ""
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
    upper = f"不到{shown(above.start):g}分（{above.name}）" if above else ""
    lower = f"满{shown(reached.start):g}分（{reached.name}）" if reached.start > card.low else ""
    reasons = "，".join(one for one in (f"{shown(found.points):g}分{lower}", upper) if one)
    yield f"  {reasons}，等级是“{reached.name}”"
    if found.held:
        yield f"  因为有暂停等级的记录，等级暂按“{found.tier}”显示，分数不变"


def _agrees(case: Case) -> Iterator[str]:
    found = case.evaluation
    came = f"{shown(found.points):g}分，{found.tier}"
    if not case.differs:
        yield f"\n与案例预期一致：{came}"
        return
    yield f"\n与案例预期不一致：案例写的是{shown(case.points):g}分，{case.tier}；按规则是{came}"
    yield from (f"  {fault}" for fault in case.differs)

"""What a deduction of a case rests on, in words: from which day it counts, which years it takes, when it ends.

Pure. The days are those of the case's papers and of the record's own interval; what a deduction costs in all, and what
comes back when it ends, is asked of the evaluator, by counting the same records without it or on that day. Every end is
told alike: the first day on which the record no longer counts.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from core.months import shift
from scoring.book.kinds import Interval
from scoring.book.rules import Deduction
from scoring.points.cases import Case, Papers
from scoring.points.evaluate import DeductionTrace, Evaluation, IndicatorTrace
from scoring.points.facts import Fact, facts
from scoring.points.wording import shown, window

_DAY, _DAYS_A_YEAR = timedelta(days=1), 365
_PAPER = {"N01": "处罚决定", "N02": "处罚决定", "N03": "列入决定", "N05": "欠费通知"}
_ENDED = {"cleared_on": "缴清", "removed_on": "移出名单"}


def dated(case: Case, found: Sequence[Fact]) -> list[str]:
    """Say of each deduction or hold on which days it rests and from when it counts; equal ones once, numbered."""
    told = [_dated(case, fact) for fact in found]
    return [one + (f"（共{told.count(one)}条）" if told.count(one) > 1 else "") for one in dict.fromkeys(told)]


def _dated(case: Case, fact: Fact) -> str:
    papers, kind = case.papers[fact.records[0]], case.book.catalogue.kinds[fact.kind]
    before = "" if fact.status == "active" else "原定"
    effect = "扣分" if _deducts(case, fact) else "暂停等级"
    over = fact.status == "active" and fact.until_on is not None and fact.until_on <= case.evaluation.as_of
    until = f"；{_end(case, fact, papers)}" if over else ""
    return f"{kind.name}（{kind.code}）：{_start(case, fact, papers)}，{before}自{fact.from_on}起{effect}{until}"


def _deducts(case: Case, fact: Fact) -> bool:
    return any(rule.kind == fact.kind for rule in case.book.card.deductions)


def _start(case: Case, fact: Fact, papers: Papers) -> str:
    """Say which days the beginning was made of (scoring.book.lines: the later of effect and service, or a field)."""
    rule, paper = case.book.catalogue.kinds[fact.kind].interval, _PAPER.get(fact.kind, "书面认定")
    if rule and rule.wait_field:
        made = "" if papers.effective_on == papers.served_on else f"{papers.effective_on}作出，"
        return f"{_waited(case, papers, rule.wait_field, rule.wait_days)}；{paper}{made}{papers.served_on}送达；取最晚"
    known = f"{papers.effective_on}生效，{papers.served_on}送达"
    known = f"{papers.effective_on}生效并送达" if papers.effective_on == papers.served_on else known
    if rule and rule.starts:
        return f"{field(case, rule.starts)}{papers.clock}；{paper}{known}；按{field(case, rule.starts)}计"
    latest = "" if papers.effective_on == papers.served_on else "；两者取晚"
    return f"{papers.act}的行为；{paper}{known}{latest}"


def _waited(case: Case, papers: Papers, name: str, days: int) -> str:
    """Count the days of waiting as the catalogue does: the first day is not one of them."""
    begun, as_of = papers.clock or papers.act, case.evaluation.as_of
    full = begun + timedelta(days=days)
    now = f"（计分日{as_of}是第{(as_of - begun).days}天）" if begun < as_of < full else ""
    return f"{field(case, name)}{begun}，当天不算，往后数到{full}满{days}天{now}"


def field(case: Case, name: str) -> str:
    """Give a field's Chinese name: the column's, as bureaus know it."""
    return next((told for told, known in case.book.catalogue.headers.items() if known == f"fields.{name}"), name)


def lost_years(case: Case, trace: IndicatorTrace, years: int) -> str:
    """Say which of the `years` periods of 365 days do not count and what takes each; empty when all count."""
    as_of, told = case.evaluation.as_of, list[str]()
    for back in range(years - trace.value):
        last = as_of - timedelta(days=_DAYS_A_YEAR * back)
        first = last - timedelta(days=_DAYS_A_YEAR - 1)
        kinds = dict.fromkeys(fact.kind for fact in trace.facts if (fact.from_on or as_of) <= last)
        names = "；".join(case.book.catalogue.kinds[kind].name for kind in kinds)
        told.append(f"{first}至{last}（{names}）")
    return "、".join(told)


def stopped(case: Case, fact: Fact) -> str:
    """Say in a word why a record does not count any more."""
    rule = case.book.catalogue.kinds[fact.kind].interval
    display, hard = _limits(rule, case.papers[fact.records[0]])
    if rule and fact.until_on == hard:
        return f"行为已满{window(rule.hard_stop_months)}"
    return "显示期满" if fact.until_on == display else f"已{_ended(rule)}"


def _ended(rule: Interval | None) -> str:
    return _ENDED.get(rule.ends if rule else "", "了结")


def _limits(rule: Interval | None, papers: Papers) -> tuple[date | None, date | None]:
    """Give the ends of display and of the years after the act, None where the kind has no such limit."""
    display = shift(papers.effective_on, rule.stop_months) if rule and rule.stop_months else None
    return display, shift(papers.act, rule.hard_stop_months) if rule and rule.hard_stop_months else None


def _end(case: Case, fact: Fact, papers: Papers, freed: str = "") -> str:
    """Say by which limit a record ends and on which day it no longer counts.

    `freed` is what that gives back; without it the end has come, and where there are two limits the later one is told.
    """
    rule, until = case.book.catalogue.kinds[fact.kind].interval, fact.until_on
    display, hard = _limits(rule, papers)
    stops = freed or ("不再扣" if _deducts(case, fact) else "不再暂停")
    if fact.from_on and until and until <= fact.from_on:
        stops = "不再扣，所以从来没有扣过"
    if rule and until == hard:
        other = f"（显示期要到{display}才满）" if display and display != hard else ""
        return f"行为之日{papers.act}起满{window(rule.hard_stop_months)}，自{until}起{stops}{other}"
    if rule and until == display:
        late = "（送达晚不会延长显示期）" if papers.served_on > papers.effective_on else ""
        other = f"（行为要到{hard}才满{window(rule.hard_stop_months)}）" if hard and not freed else ""
        return f"显示期{rule.stop_months}个月，从生效日{papers.effective_on}起算，自{until}起{stops}{late}{other}"
    return f"自{until}（{_ended(rule)}当天）起{stops}"


def ends(case: Case, rule: Deduction, trace: DeductionTrace) -> list[str]:
    """Say until when each record of a deduction counts, by which limit, and what is back that day; equal ones once."""
    freed = _freed(case, rule, trace)
    return list(dict.fromkeys(_ending(case, rule, fact, freed) for fact in trace.facts))


def _ending(case: Case, rule: Deduction, fact: Fact, freed: str) -> str:
    if fact.until_on is None:
        return f"{rule.recover}{_restored(case, fact)}"
    return f"{_end(case, fact, case.papers[fact.records[0]], freed)}{_restored(case, fact)}"


def _freed(case: Case, rule: Deduction, trace: DeductionTrace) -> str:
    """Name what goes back when one record ends: its points, unless a cap has already spared some of them."""
    card = case.book.card
    whole = sum(one.points for one in case.evaluation.deductions)
    capped = trace.value * rule.points > trace.cap or whole > card.deduction_cap
    return "这一项不再计（已到上限，那天按余下的重新合计）" if capped else f"这{shown(rule.points):g}分不再扣"


def _restored(case: Case, fact: Fact) -> str:
    """Say what the clean years give back on the day a record ends, if nothing new comes; empty when they lost none."""
    found, rows = case.evaluation, facts(case.rows)
    if fact.until_on is None:
        before, after = found, case.book.evaluator([row for row in rows if row != fact], found.adult_on, found.as_of)
    else:
        before = case.book.evaluator(rows, found.adult_on, fact.until_on - _DAY)
        after = case.book.evaluator(rows, found.adult_on, fact.until_on)
    most, had, has = (sum(one.points for one in _clean(case, each)) for each in (_free(case), before, after))
    if had == most:
        return ""
    if has <= had:
        return "；清白年度要等别的扣分记录也停止才恢复"
    rest = "" if has == most else "，其余要等别的扣分记录也停止"
    more = "" if has - had <= most - sum(one.points for one in _clean(case, found)) else "到那时"
    return f"；清白年度{more}少得的{shown(has - had):g}分同一天恢复{rest}"


def _free(case: Case) -> Evaluation:
    """Count the case without its deductions."""
    taken = {record for one in case.evaluation.deductions for fact in one.facts for record in fact.records}
    rest = [row for row in case.rows if row.id not in taken]
    return case.book.evaluator(facts(rest), case.evaluation.adult_on, case.evaluation.as_of)


def _clean(case: Case, found: Evaluation) -> list[IndicatorTrace]:
    names = {rule.id for rule in case.book.card.indicators() if rule.measure == "clean_years"}
    return [one for group in found.dimensions for one in group.indicators if one.id in names]


def besides(case: Case) -> Iterator[str]:
    """Say what the deductions cost beyond themselves in clean years, and in all; nothing when they cost no year."""
    found, without = case.evaluation, _free(case)
    for free, now in zip(_clean(case, without), _clean(case, found), strict=True):
        if free.value > now.value:
            years = f"另因清白年度少{free.value - now.value}年，少得{shown(free.points - now.points):g}分"
            yield f"{years}，合计影响{shown(without.raw - found.raw):g}分"

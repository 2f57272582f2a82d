"""What a deduction of a case rests on, in words: from which day it counts, which years it takes, when it ends.

Pure. The days are those of the case's papers and of the record's own interval; what a deduction costs in all is asked
of the evaluator, by counting the same records without it.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from core.months import shift
from scoring.book.rules import Deduction
from scoring.points.cases import Case, Papers
from scoring.points.evaluate import DeductionTrace, Evaluation, IndicatorTrace
from scoring.points.facts import Fact, facts
from scoring.points.wording import shown

_DAYS_A_YEAR = 365


def dated(case: Case, found: Sequence[Fact]) -> list[str]:
    """Say of each deduction or hold on which days it rests and from when it counts; equal ones once, numbered."""
    told = [_dated(case, fact) for fact in found]
    return [one + (f"（共{told.count(one)}条）" if told.count(one) > 1 else "") for one in dict.fromkeys(told)]


def _dated(case: Case, fact: Fact) -> str:
    papers, kind = case.papers[fact.records[0]], case.book.catalogue.kinds[fact.kind]
    before = "" if fact.status == "active" else "原定"
    effect = "扣分" if any(rule.kind == fact.kind for rule in case.book.card.deductions) else "暂停等级"
    over = fact.until_on is not None and fact.until_on <= case.evaluation.as_of
    until = f"，到{fact.until_on}为止" if over else ""
    return f"{kind.name}（{kind.code}）：{_start(case, fact, papers)}，{before}自{fact.from_on}起{effect}{until}"


def _start(case: Case, fact: Fact, papers: Papers) -> str:
    """Say which days the beginning was made of (scoring.book.lines: the later of effect and service, or a field)."""
    rule = case.book.catalogue.kinds[fact.kind].interval
    known = f"{papers.effective_on}生效，{papers.served_on}送达"
    known = f"{papers.effective_on}生效并送达" if papers.effective_on == papers.served_on else known
    if rule and rule.starts:
        return f"{_field(case, rule.starts)}{papers.clock}；决定{known}；按{_field(case, rule.starts)}计"
    if rule and rule.wait_field:
        wait = f"{_field(case, rule.wait_field)}{papers.clock}，满{rule.wait_days}天"
        return f"{wait}是{_waited(papers, rule.wait_days)}；通知{known}；取最晚"
    latest = "" if papers.effective_on == papers.served_on else "；两者取晚"
    return f"{papers.act}的行为；决定{known}{latest}"


def _waited(papers: Papers, days: int) -> date:
    return (papers.clock or papers.act) + timedelta(days=days)


def _field(case: Case, field: str) -> str:
    """Give a field's Chinese name: the column's, as bureaus know it."""
    return next((name for name, known in case.book.catalogue.headers.items() if known == f"fields.{field}"), field)


def lost_years(case: Case, trace: IndicatorTrace, years: int) -> str:
    """Say which of the `years` periods of 365 days do not count and what takes each; empty when all count."""
    as_of, told = case.evaluation.as_of, list[str]()
    for back in range(years - trace.value):
        last = as_of - timedelta(days=_DAYS_A_YEAR * back)
        first = last - timedelta(days=_DAYS_A_YEAR - 1)
        kinds = dict.fromkeys(fact.kind for fact in trace.facts if (fact.from_on or as_of) <= last)
        names = "、".join(case.book.catalogue.kinds[kind].name for kind in kinds)
        told.append(f"{first}至{last}（{names}）")
    return "、".join(told)


def ends(case: Case, rule: Deduction, trace: DeductionTrace) -> list[str]:
    """Say until when each record of a deduction counts, and by which limit; equal ones once."""
    told = [_end(rule, fact, case.papers[fact.records[0]], _freed(case, rule, trace)) for fact in trace.facts]
    return list(dict.fromkeys(told))


def _freed(case: Case, rule: Deduction, trace: DeductionTrace) -> str:
    """Name what goes back when one record ends: its points, unless a cap has already spared some of them."""
    card = case.book.card
    whole = sum(one.points for one in case.evaluation.deductions)
    capped = trace.value * rule.points > trace.cap or whole > card.deduction_cap
    return "这一项不再计" if capped else f"这{shown(rule.points):g}分不再扣"


def _end(rule: Deduction, fact: Fact, papers: Papers, freed: str) -> str:
    if fact.until_on is None:
        return rule.recover
    if rule.display_months and fact.until_on == shift(papers.effective_on, rule.display_months):
        late = "（送达晚不会延长显示期）" if papers.served_on > papers.effective_on else ""
        since = f"显示期{rule.display_months}个月，从生效日{papers.effective_on}起算"
        return f"{since}，{fact.until_on}起{freed}{late}"
    if rule.hard_stop_months and fact.until_on == shift(papers.act, rule.hard_stop_months):
        return f"行为之日{papers.act}起满{rule.hard_stop_months}个月，{fact.until_on}起{freed}"
    return f"{fact.until_on}起{freed}"


def besides(case: Case) -> Iterator[str]:
    """Say what the deductions cost beyond themselves in clean years, and in all; nothing when they cost no year."""
    found = case.evaluation
    taken = {record for one in found.deductions for fact in one.facts for record in fact.records}
    rest = [row for row in case.rows if row.id not in taken]
    without = case.book.evaluator(facts(rest), found.adult_on, found.as_of)
    for rule in case.book.card.indicators():
        if rule.measure != "clean_years":
            continue
        free, now = _trace(without, rule.id), _trace(found, rule.id)
        if free.value > now.value:
            years = f"另因清白年度少{free.value - now.value}年，少得{shown(free.points - now.points):g}分"
            yield f"{years}，合计影响{shown(without.raw - found.raw):g}分"


def _trace(found: Evaluation, identity: str) -> IndicatorTrace:
    return next(one for group in found.dimensions for one in group.indicators if one.id == identity)

"""The records of a case in words: which count, which do not and why, which were not taken and why.

Pure. Whoever reads it sees what each record is and never a code of ours but the kind's; days and months stand as the
evaluator uses them, so what is counted by the month is named by the month.
"""

from collections.abc import Iterator
from datetime import timedelta

from core.months import first, number, shift
from scoring.book.kinds import MONTHLY
from scoring.book.rules import Indicator
from scoring.points import casedeductions as deductions
from scoring.points.cases import Case, Refused
from scoring.points.evaluate import DeductionTrace, IndicatorTrace
from scoring.points.facts import Fact, facts
from scoring.points.wording import level_name

_NAMED = 4
_STATUS = {
    "disputed": "异议处理中",
    "hidden": "本人选择不计分",
    "repaired": "信用修复完成",
    "revoked": "报送单位已撤销",
}
_REFUSED = {
    "nothing_to_record": "不构成可以记录的事项",
    "missing_document": "缺少决定文书",
    "missing_notice": "缺少送达凭据",
    "malformed": "填写的内容不在目录允许的范围内",
    "simple_procedure": "简易程序的处罚不收",
    "future_date": "日期在计分日之后",
    "kind_not_permitted": "这一种类没有启用",
}
_VALUES = {"minor": "轻微", "simple": "简易程序"}


def told(case: Case) -> Iterator[str]:
    """Go through all records: those that count by what they count for, then the rest by the reason."""
    for one in _parts(case):
        if one.facts and one.id not in _clean(case):
            yield from _listed(case, one)
    yield from (f"暂停等级：{line}" for line in deductions.dated(case, case.evaluation.holds))
    for why, out in _left_out(case).items():
        yield from (f"不计入（{why}）：{line}" for line in _described(case, out))
    yield from (f"没有收下：{_refused(case, one)}" for one in case.refused)
    if not case.rows and not case.refused:
        yield "没有任何记录"


def counted(found: tuple[Fact, ...]) -> int:
    """Give the number of records behind rows: several of a month or day share one."""
    return sum(len(fact.records) for fact in found)


def _refused(case: Case, one: Refused) -> str:
    """Name the line, so that two of a kind can be told apart, and say why it was not taken."""
    day = f"，{one.on}的一条" if one.on else ""
    wrote = "".join(f"，{_wrote(case, one.kind, name, value)}" for name, value in one.wrote.items())
    why = _young(case) if one.code == "minor" else _REFUSED.get(one.code, f"退回代码{one.code}")
    return f"{case.book.catalogue.kinds[one.kind].name}（{one.kind}）{day}{wrote}：{why}"


def _wrote(case: Case, kind: str, name: str, value: str) -> str:
    """Give a field as bureaus know it, its value with its unit and in Chinese where we have a word for it."""
    book = case.book.catalogue
    tables = [table for table in book.tables if table.id == book.kinds[kind].level_table]
    words = {row.value: row.name for table in tables for row in table.rows}
    words |= {one.id: one.name for one in book.schemes} | _VALUES
    unit = next((rule.unit for rule in _rules(case, kind)), "") if name == book.kinds[kind].quantity else ""
    return f"{deductions.field(case, name)}“{words.get(value, value)}{unit}”"


def _young(case: Case) -> str:
    """Say on which day this person turns 18, the point of every line that is refused for it."""
    adult = case.evaluation.adult_on
    leap = "；2月29日出生的，平年按2月28日算" if (case.born.day, adult.day) == (29, 28) else ""
    return f"未满{case.book.catalogue.adult_age}岁（本人{adult}满{case.book.catalogue.adult_age}岁{leap}）"


def _listed(case: Case, one: IndicatorTrace | DeductionTrace) -> Iterator[str]:
    if isinstance(one, DeductionTrace):
        yield from deductions.dated(case, one.facts)
        return
    codes = "、".join(dict.fromkeys(fact.kind for fact in one.facts))
    yield f"{one.name}（{codes}）：{_labels(case, one.facts)}"


def _left_out(case: Case) -> dict[str, list[Fact]]:
    """Group what does not count by the reason."""
    counts = set(case.evaluation.facts())
    groups: dict[str, list[Fact]] = {}
    for fact in facts(case.rows):
        if fact not in counts:
            groups.setdefault(_STATUS.get(fact.status) or _out(case, fact), []).append(fact)
    return groups


def _out(case: Case, fact: Fact) -> str:
    """Say why a live record does not count on the day."""
    as_of, adult = case.evaluation.as_of, case.evaluation.adult_on
    if fact.occurred_on < adult:
        month = fact.kind in MONTHLY and number(fact.occurred_on) == number(adult)
        return f"按月计的，从满18岁以后的整月起；本人{adult}满18岁" if month else _young(case)
    if fact.from_on is None:
        return _outside(case, fact) if fact.occurred_on <= as_of else "日期在计分日之后"
    return "还没有到开始的日子" if fact.from_on > as_of else deductions.stopped(case, fact)


def _outside(case: Case, fact: Fact) -> str:
    """Say where the window begins that the record is outside of."""
    window = next((rule.window_months for rule in _rules(case, fact.kind)), 0)
    cut = shift(case.evaluation.as_of, -window)
    begins = f"{shift(first(cut), 1):%Y-%m}" if fact.kind in MONTHLY else f"{cut + timedelta(days=1)}"
    return f"不在最近{window}个月里，最近{window}个月从{begins}起"


def _described(case: Case, out: list[Fact]) -> list[str]:
    """Describe what does not count: deductions by their days, the rest together."""
    negative = [fact for fact in out if fact.from_on]
    positive = tuple(fact for fact in out if not fact.from_on)
    codes = "；".join(dict.fromkeys(f"{case.book.catalogue.kinds[one.kind].name}（{one.kind}）" for one in positive))
    return [*deductions.dated(case, negative), *([f"{codes}：{_labels(case, positive)}"] if positive else [])]


def _parts(case: Case) -> list[IndicatorTrace | DeductionTrace]:
    gained: list[IndicatorTrace | DeductionTrace] = [
        one for dimension in case.evaluation.dimensions for one in dimension.indicators
    ]
    return [*gained, *case.evaluation.deductions]


def _clean(case: Case) -> set[str]:
    return {one.id for one in case.book.card.indicators() if one.measure == "clean_years"}


def _rules(case: Case, kind: str) -> list[Indicator]:
    """Give the indicators that count a kind, in force or not."""
    every = (rule for dimension in case.book.card.dimensions for rule in dimension.indicators)
    return [rule for rule in every if kind in rule.kinds and rule.measure != "clean_years"]


def _labels(case: Case, found: tuple[Fact, ...]) -> str:
    """Name the records, the first and the last of many, and say how many there are."""
    names, count = list(dict.fromkeys(_label(case, one) for one in found)), counted(found)
    several = f"（共{count}条）" if count > 1 else ""
    if len(names) <= _NAMED:
        return "、".join(names) + several
    return f"{names[0]}、{names[1]} …… {names[-1]}{several}"


def _label(case: Case, fact: Fact) -> str:
    """Give the catalogue's label: by the month where months count, a level called as the scorecard calls it."""
    book, day = case.book.catalogue, fact.occurred_on
    label = book.label(fact.kind, day, fact.quantity, fact.level)
    if fact.kind in MONTHLY:
        label = label.replace(f"{day}", f"{day:%Y-%m}")
    ours = book.level_name(fact.kind, fact.level)
    names = (level_name(rule, fact.level or 0) for rule in _rules(case, fact.kind))
    return label.replace(ours, next(names, "") or ours) if ours else label

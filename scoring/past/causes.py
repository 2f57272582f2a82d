"""Why points moved, in plain Chinese: which records came, which went and why, what the day or a new rule did.

Pure. Two traces that follow each other are compared; the stored cause of the change ("date", "hidden",
"records.write:<source>") tells why a record went that could still count. What a record is called comes from the
catalogue, so nothing is said that its citizen does not see in the list of records.
"""

from collections.abc import Callable, Iterator
from datetime import date

import msgspec

from core.months import leaves
from scoring.book.catalogue import Catalogue
from scoring.book.rules import Deduction, Indicator
from scoring.book.scorecard import Scorecard
from scoring.past import differences
from scoring.past.differences import Part
from scoring.points.evaluate import Evaluation
from scoring.points.facts import Fact
from scoring.points.wording import shown, window

_NAMED = 3  # more records than these are counted, not named
_WENT = {
    "hidden": "您让它不计分",
    "refused": "您不再让这类记录被收取",
    "records.revoke": "报送单位撤销了",
    "records.withdraw": "随整批报错的数据一并撤回",
    "records.repair": "信用修复完成",
    "records.write": "报送单位更正了",
    "records.correct": "报送单位更正了",
    "source.dropped": "您停用了这个信息来源",
    "sensitive.ended": "您撤回了单独同意",
}
_CAME = {"shown": "重新计分"}


class Because(msgspec.Struct, frozen=True):
    """One reason: the part that moved (an id of the scorecard, or tier, rules, cap), by how many tenths, in words.

    `came` and `went` are ids of records.
    """

    part: str
    change: int
    text: str
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()


def of(
    before: Evaluation | None, after: Evaluation, *, cause: str, card: Scorecard, catalogue: Catalogue
) -> tuple[Because, ...]:
    """Give every reason of a change; `before` is None for the first, `card` the scorecard of `after`."""
    if before is None:
        return (Because("base", after.points, f"开始计分，共{shown(after.points):g}分"),)
    return tuple(_reasons(before, after, _Teller(cause.partition(":")[0], card, catalogue, after.as_of)))


def _reasons(before: Evaluation, after: Evaluation, teller: "_Teller") -> Iterator[Because]:
    if rules := differences.rule_change(before, after):
        yield Because("rules", 0, rules)
    for part in differences.parts(before, after):
        yield teller.reason(part)
    for remark in differences.remarks(before, after):
        yield Because("cap", 0, remark)
    if tier := differences.tier_change(before, after):
        yield teller.tier(before, after, tier)


class _Teller:
    """Puts one part's change into words."""

    def __init__(self, cause: str, card: Scorecard, catalogue: Catalogue, as_of: date) -> None:
        self._cause, self._catalogue, self._as_of = cause, catalogue, as_of
        self._rules: dict[str, Indicator | Deduction] = {one.id: one for one in card.indicators()}
        self._rules |= {one.id: one for one in card.deductions}
        counted = [one for one in card.indicators() if one.measure != "clean_years"]
        self._by_kind: dict[str, Indicator | Deduction] = {kind: one for one in counted for kind in one.kinds}
        self._by_kind |= {one.kind: one for one in card.deductions}

    def reason(self, part: Part) -> Because:
        """A part: by how much, and the records that came or went."""
        change = part.after - part.before
        said = [*self._each(part.went, self._gone), *self._each(part.came, self._new)]
        text = f"“{part.name}”{differences.signed(change)}：{'；'.join(said) or self._same(part)}"
        return Because(part.id, change, text, _ids(part.came), _ids(part.went))

    def tier(self, before: Evaluation, after: Evaluation, text: str) -> Because:
        """A tier that moved, with the listing that holds it or no longer does."""
        came = tuple(fact for fact in after.holds if fact not in before.holds)
        went = tuple(fact for fact in before.holds if fact not in after.holds)
        said = [*self._each(went, self._gone), *self._each(came, self._new)]
        return Because("tier", 0, f"{text}：{'；'.join(said)}" if said else text, _ids(came), _ids(went))

    def _each(self, facts: tuple[Fact, ...], why: Callable[[Fact], str]) -> Iterator[str]:
        reasons: dict[str, list[str]] = {}
        for fact in facts:
            reasons.setdefault(why(fact), []).append(self._label(fact))
        for reason, labels in reasons.items():
            more = f"等{len(labels)}条" if len(labels) > _NAMED else ""
            yield f"{'、'.join(labels[:_NAMED])}{more}{reason}"

    def _label(self, fact: Fact) -> str:
        if fact.kind not in self._catalogue.kinds:
            return f"{fact.occurred_on} {fact.kind}"
        return self._catalogue.label(fact.kind, fact.occurred_on, fact.quantity, fact.level)

    def _new(self, fact: Fact) -> str:
        if fact.from_on is not None:
            return "开始影响" if self._cause == "date" else "计入"
        return _CAME.get(self._cause, "计入")

    def _gone(self, fact: Fact) -> str:
        """Why a row no longer counts: it is over, its window has passed, or what its citizen or source did."""
        if fact.from_on is not None and fact.until_on is not None and fact.until_on <= self._as_of:
            return f"到{fact.until_on}为止，不再影响"
        rule = self._by_kind.get(fact.kind)
        months = 0 if rule is None else rule.window_months if isinstance(rule, Indicator) else rule.hard_stop_months
        if months and leaves(fact.occurred_on, months) <= self._as_of:
            return f"超出了{window(months)}的期限"
        return f"不再计入（{_WENT[self._cause]}）" if self._cause in _WENT else "不再计入"

    def _same(self, part: Part) -> str:
        """The same records give something else: the day did it, or a rule, or what stands inside a record."""
        rule = self._rules.get(part.id)
        if isinstance(rule, Indicator) and rule.measure == "clean_years":
            return "随日期重新计算清白年度"
        return "随日期重新计算" if self._cause == "date" else "按新的内容或规则重新计算"


def _ids(facts: tuple[Fact, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record for fact in facts for record in fact.records))

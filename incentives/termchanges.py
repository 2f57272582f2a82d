"""How the terms of one perk differ between two editions: measures, prices, budgets, places, days and clocks.

Pure. Each difference says which way it goes for a holder; what could be either counts as one that could take something.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from incentives.book.admissions import Admission
from incentives.book.budgets import Budget
from incentives.book.kinds import GAUGES, KINDS
from incentives.book.perks import Measure, Perk
from incentives.book.places import Place, words
from scoring.book.changes import DOWN, OPEN, UP, WORDS

Row = tuple[str, str, str, str, str]  # field, what in words, old, new, effect
NONE = "（无）"
# Field -> (what, unit, which way more of it turns for a holder: 1 better, -1 worse).
_NUMBERS = {
    "percent": ("优惠比例", "%", 1), "minus": ("另减", "fen", 1), "from_amount": ("起点金额", "fen", -1),
    "hold_minutes": ("订单等待", "分钟", 1), "start_hours": ("开始期限", "小时", 1),
    "longest_days": ("最长约定", "天", 1),
}  # fmt: skip
_PER = {"perk": "整项", "partner": "每个机构", "district": "每个片区", "citizen": "每人"}
_EVERY = {"day": "每天", "month": "每月", "year": "每年", "ever": "一共"}


def differences(one: Perk, other: Perk) -> Iterator[Row]:
    """Give each difference of two editions of a perk, but for its threshold, its cap and its words."""
    if one.kind != other.kind:
        yield "kind", "种类", KINDS[one.kind].name, KINDS[other.kind].name, OPEN
    for field, (what, unit, way) in _NUMBERS.items():
        before, after = getattr(one, field), getattr(other, field)
        if before != after:
            effect = UP if (after > before) is (way > 0) else DOWN
            yield field, what, _number(before, unit), _number(after, unit), effect
    yield from _days(one, other)
    yield from _measures(one, other)
    yield from _listed(one, other)
    yield from _budgets(one, other)
    yield from _places(one, other)
    if one.lines != other.lines:
        yield "lines", "明细名称", "、".join(one.lines) or NONE, "、".join(other.lines) or NONE, WORDS
    if one.admission != other.admission:
        yield "admission", "年票用法", _admission(one.admission), _admission(other.admission), OPEN
    if one.how_to_use != other.how_to_use:
        yield "how_to_use", "怎样使用", one.how_to_use or NONE, other.how_to_use or NONE, WORDS


def _days(one: Perk, other: Perk) -> Iterator[Row]:
    if one.starts_on != other.starts_on:
        later = (other.starts_on or date.min) > (one.starts_on or date.min)
        yield "starts_on", "开始日期", _day(one.starts_on), _day(other.starts_on), DOWN if later else UP
    if one.ends_on != other.ends_on:
        sooner = (other.ends_on or date.max) < (one.ends_on or date.max)
        yield "ends_on", "截止日期", _day(one.ends_on), _day(other.ends_on), DOWN if sooner else UP


def _measures(one: Perk, other: Perk) -> Iterator[Row]:
    for name, before, after in _pairs({m.name: m for m in one.measures}, {m.name: m for m in other.measures}):
        yield name, GAUGES[name].name, _measure(before), _measure(after), _turn(name, before, after)


def _turn(name: str, before: Measure | None, after: Measure | None) -> str:
    if before is None or after is None:
        return UP if before is None else DOWN
    if before.stranger != after.stranger:
        return OPEN
    return UP if (after.granted > before.granted) is GAUGES[name].more_is_better else DOWN


def _listed(one: Perk, other: Perk) -> Iterator[Row]:
    lists = ({each.item: each.stranger for each in perk.prices} for perk in (one, other))
    for item, before, after in _pairs(*lists):
        old, new = (NONE if each is None else _number(each, "fen") for each in (before, after))
        yield "price", f"公布的价格“{item}”", old, new, OPEN


def _budgets(one: Perk, other: Perk) -> Iterator[Row]:
    before, after = ({(b.per, b.every): b for b in perk.budgets} for perk in (one, other))
    for (per, every), old, new in _pairs(before, after):
        yield "budget", f"限量（{_PER[per]}{_EVERY[every]}）", _budget(old), _budget(new), _tighter(old, new)


def _tighter(old: Budget | None, new: Budget | None) -> str:
    """Less of either limit takes something; no limit is the most."""
    most = 10**12
    pairs = [
        tuple(most if each is None or getattr(each, name) is None else getattr(each, name) for each in (old, new))
        for name in ("count", "amount")
    ]
    if all(after >= before for before, after in pairs):
        return UP
    return DOWN if all(after <= before for before, after in pairs) else OPEN


def _places(one: Perk, other: Perk) -> Iterator[Row]:
    for _, old, new in _pairs({p.id: p for p in one.places}, {p.id: p for p in other.places}):
        named = new or old
        assert named is not None  # noqa: S101  (a key stands in one of the two)
        what = f"{'片区' if named.zone else '活动'}“{named.name}”"
        yield "place", what, _place(old), _place(new), OPEN


def _pairs(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """What differs by key, in the order of the file; None where one has it not."""
    for key in [*old, *(key for key in new if key not in old)]:
        if old.get(key) != new.get(key):
            yield key, old.get(key), new.get(key)


def _number(value: int, unit: str) -> str:
    return f"{value / 100:g}元" if unit == "fen" else f"{value}{unit}"


def _day(value: date | None) -> str:
    return value.isoformat() if value else NONE


def _measure(one: Measure | None) -> str:
    return f"普通{one.stranger}、凭信用{one.granted}{GAUGES[one.name].unit}" if one else NONE


def _budget(one: Budget | None) -> str:
    if one is None:
        return NONE
    orders = "" if one.count is None else f"{one.count}次"
    return "、".join(part for part in (orders, "" if one.amount is None else _number(one.amount, "fen")) if part)


def _admission(one: Admission | None) -> str:
    if one is None:
        return NONE
    begins = {"purchase": "购买", "first_visit": "首次入园"}[one.begins]
    return f"{begins}起{one.days}天，每天{one.per_day}次，退票每用一次扣{_number(one.visit_price, 'fen')}"


def _place(one: Place | None) -> str:
    if one is None:
        return NONE
    numbers = (("上限", one.cap, "fen"), ("优惠", one.percent, "%"), ("另减", one.minus, "fen"),
               ("满", one.from_amount, "fen"))  # fmt: skip
    said = [f"{what}{_number(value, unit)}" for what, value, unit in numbers if value is not None]
    days = f"{_day(one.from_on)}至{_day(one.until_on)}" if one.from_on or one.until_on else ""
    where = "、".join((*one.partners, *one.terminals))
    return "，".join(part for part in (days, where, *said, words(one.measures)) if part)

"""Two scorecards compared by value: what changes, in words, on what basis, and whether it could lower anybody's points.

Pure. A change that could be either, or that this page does not know, counts as one that could lower; so whoever asks
`may_lower` and hears no can be sure. What it does to whom is a rehearsal's matter.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from scoring.book.basis import Basis
from scoring.book.rules import Deduction, Dimension, Hold, Indicator, Level, Tier
from scoring.book.scorecard import Scorecard

_Part = Tier | Dimension | Indicator | Deduction | Hold
_Named = TypeVar("_Named", Dimension, Deduction, Hold)
_Any = TypeVar("_Any")
UP, DOWN, OPEN, WORDS = "up", "down", "open", "words"
_NONE = "（无）"
# Field -> (Chinese, is it tenths, which way more of it turns points: 1 up, -1 down, 0 either, None in words only).
_Row = tuple[str, bool, int | None]
_TIER: dict[str, _Row] = {"start": ("起点分", True, -1)}
_DIMENSION: dict[str, _Row] = {"name": ("名称", False, None), "cap": ("上限", True, 1)}
_INDICATOR: dict[str, _Row] = {
    "name": ("名称", False, None), "measure": ("计法", False, 0), "points": ("每单位分值", True, 1),
    "cap": ("上限", True, 1), "years": ("年数", False, 1), "reason": ("理由文字", False, None),
    "none": ("无记录时的文字", False, None), "unit": ("单位", False, None),
}  # fmt: skip
_DEDUCTION: dict[str, _Row] = {
    "name": ("名称", False, None), "kind": ("记录种类", False, 0), "points": ("每条扣分", True, -1),
    "cap": ("扣分上限", True, -1), "reason": ("理由文字", False, None), "recover": ("恢复办法", False, None),
}  # fmt: skip
_HOLD: dict[str, _Row] = {
    "name": ("名称", False, None), "kind": ("记录种类", False, 0), "reason": ("理由文字", False, None),
    "recover": ("恢复办法", False, None),
}  # fmt: skip
_SCALE: dict[str, _Row] = {
    "base": ("基础分", True, 1), "low": ("最低分", True, 1), "high": ("最高分", True, 1),
    "deduction_cap": ("扣分合计上限", True, -1),
}  # fmt: skip


class Change(msgspec.Struct, frozen=True):
    """One value: of which part (`id`, `name`), what (`field`, `what`), old and new in words, and their bases.

    `effect`: up, down, open (either way) or words (points stay).
    """

    id: str
    name: str
    field: str
    what: str
    old: str
    new: str
    old_basis: str
    new_basis: str
    effect: str

    def __str__(self) -> str:
        """Read as one line: 日常义务按时履行：每单位分值 0.5 → 0.6（示范规则，未经任何城市采用）."""
        return f"{self.name}：{self.what} {self.old} → {self.new}（{self.new_basis or self.old_basis}）"


def compare(old: Scorecard, new: Scorecard) -> tuple[Change, ...]:
    """Give every difference that a reader would want to see, in the order of the file."""
    found = [*_fields("scale", "分数范围", old, new, _SCALE, (old.basis, new.basis))]
    found += _each("等级", "tier", _by_name(old.tiers), _by_name(new.tiers), _TIER)
    before, after = _by_id(old.dimensions), _by_id(new.dimensions)
    found += _each("维度", "dimension", before, after, _DIMENSION)
    found += _indicators(_inside(old), _inside(new))
    found += _each("扣分", "deduction", _by_id(old.deductions), _by_id(new.deductions), _DEDUCTION)
    for key, (one, other) in _both(_by_id(old.deductions), _by_id(new.deductions)):
        if one.hard_stop_months != other.hard_stop_months:
            effect = UP if _stop(other) < _stop(one) else DOWN
            shown = [f"{each.hard_stop_months}个月" if each.hard_stop_months else _NONE for each in (one, other)]
            found.append(_change(key, other.name, "hard_stop", "最长影响", shown, (one.basis, other.basis), effect))
    found += _each("等级暂停", "hold", _by_id(old.holds), _by_id(new.holds), _HOLD)
    return tuple(found)


def may_lower(changes: Iterable[Change]) -> bool:
    """Say whether anybody could have fewer points, or a lower tier, by any of these."""
    return any(one.effect in {DOWN, OPEN} for one in changes)


def _indicators(old: Mapping[str, Indicator], new: Mapping[str, Indicator]) -> Iterator[Change]:
    yield from _each("指标", "indicator", old, new, _INDICATOR)
    for key, (one, other) in _both(old, new):
        bases = one.basis, other.basis
        if one.window_months != other.window_months:
            shown = [f"{each.window_months}个月" if each.window_months else "不限" for each in (one, other)]
            longer = (other.window_months or 10**6) > (one.window_months or 10**6)
            yield _change(key, other.name, "window_months", "统计期", shown, bases, UP if longer else DOWN)
        if set(one.kinds) != set(other.kinds):
            more, fewer = set(one.kinds) < set(other.kinds), set(other.kinds) < set(one.kinds)
            clean = other.measure == "clean_years"
            effect = OPEN if not more and not fewer else UP if more is not clean else DOWN
            shown = ["、".join(each.kinds) for each in (one, other)]
            yield _change(key, other.name, "kinds", "计入的记录种类", shown, bases, effect)
        if one.levels != other.levels:
            shown = [_levels(each.levels) for each in (one, other)]
            yield _change(key, other.name, "levels", "各级分值", shown, bases, _levels_effect(one.levels, other.levels))
        if one.effort != other.effort:
            shown = [
                f"{each.effort.text}（折{each.effort.hours}小时）" if each.effort else _NONE for each in (one, other)
            ]
            yield _change(key, other.name, "effort", "怎样做到", shown, bases, WORDS)


def _each(
    called: str, kind: str, old: Mapping[str, _Part], new: Mapping[str, _Part], rows: Mapping[str, _Row]
) -> Iterator[Change]:
    """What came, went or changed among the parts of one kind."""
    good = kind in {"dimension", "indicator"}
    for key in [*old, *(key for key in new if key not in old)]:
        one, other = old.get(key), new.get(key)
        if one is not None and other is not None:
            name = f"{called}“{key}”" if kind == "tier" else other.name
            yield from _fields(key, name, one, other, rows, (one.basis, other.basis))
            continue
        part = one or other
        assert part is not None  # noqa: S101  (a key stands in one of the two)
        gone = other is None
        effect = OPEN if kind == "tier" else (DOWN if good else UP) if gone else (UP if good else DOWN)
        shown = [part.name if gone else _NONE, _NONE if gone else part.name]
        bases = (part.basis, None) if gone else (None, part.basis)
        yield _change(key, part.name, kind, called, shown, bases, effect)


def _fields(
    key: str, name: str, old: object, new: object, rows: Mapping[str, _Row], bases: tuple[Basis, Basis]
) -> Iterator[Change]:
    for field, (what, tenths, way) in rows.items():
        before, after = getattr(old, field), getattr(new, field)
        if before == after:
            continue
        effect = WORDS if way is None else OPEN if way == 0 else UP if (after > before) is (way > 0) else DOWN
        shown = [f"{one / 10:g}" if tenths else str(one) for one in (before, after)]
        yield _change(key, name, field, what, shown, bases, effect)


def _change(
    key: str, name: str, field: str, what: str, shown: list[str], bases: tuple[Basis | None, Basis | None], effect: str
) -> Change:
    old_basis, new_basis = (one.shown() if one else "" for one in bases)
    return Change(key, name, field, what, shown[0], shown[1], old_basis, new_basis, effect)


def _inside(card: Scorecard) -> dict[str, Indicator]:
    """The enabled indicators by id."""
    return {one.id: one for one in card.indicators()}


def _by_id(parts: Iterable[_Named]) -> dict[str, _Named]:
    return {one.id: one for one in parts}


def _by_name(tiers: Iterable[Tier]) -> dict[str, Tier]:
    return {one.name: one for one in tiers}


def _both(old: Mapping[str, _Any], new: Mapping[str, _Any]) -> Iterator[tuple[str, tuple[_Any, _Any]]]:
    for key in old:
        if key in new:
            yield key, (old[key], new[key])


def _levels(levels: tuple[Level, ...]) -> str:
    return "、".join(f"{one.name} {one.points / 10:g}" for one in levels)


def _levels_effect(old: tuple[Level, ...], new: tuple[Level, ...]) -> str:
    before, after = ({one.level: one.points for one in each} for each in (old, new))
    if before == after:
        return WORDS
    if all(after.get(level, 0) >= points for level, points in before.items()):
        return UP
    return DOWN if all(after[level] <= before.get(level, 0) for level in after) else OPEN


def _stop(one: Deduction) -> int:
    return one.hard_stop_months or 10**6

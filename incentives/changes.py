"""Two editions of the perks compared by value, and what a partner could infer across them. Pure.

As with scorecards, a change that could be either way counts as one that could take something from somebody.
Bits: a partner sees of a perk one of two answers; of perks with as many thresholds, the one class between them that a
person is in. A threshold that moves while it may ask again and again is one more threshold.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log2

import msgspec

from incentives import termchanges
from incentives.book.perks import Perk
from scoring.book.changes import DOWN, OPEN, UP, WORDS, Change

MOST_BITS_A_PERK = 1.0
_WORDS = {"name": "名称", "terms": "内容", "standard_route": "普通办法", "price_rule": "价格规则"}


class Inference(msgspec.Struct, frozen=True):
    """What one partner can tell of one person, in bits.

    `per_perk`: from one answer; `now`, `then`: from all its live perks before and after the day; `across`: who asks on
    both sides of it, or of any change within the last year; `each_repeat`: of every later look, since points move.
    """

    partner: str
    perks: tuple[str, ...]
    thresholds: tuple[float, ...]
    per_perk: float
    now: float
    then: float
    across: float
    each_repeat: float


def compare(old: Sequence[Perk], new: Sequence[Perk]) -> tuple[Change, ...]:
    """Give every difference between the perks of two editions."""
    before, after = {one.id: one for one in old}, {one.id: one for one in new}
    found: list[Change] = []
    for key in [*before, *(key for key in after if key not in before)]:
        one, other = before.get(key), after.get(key)
        if one is None or other is None:
            part = other or one
            assert part is not None  # noqa: S101  (a key stands in one of the two)
            shown = (part.name, "（无）") if other is None else ("（无）", part.name)
            found.append(_change(part, "perk", "便利", shown, DOWN if other is None else UP))
        else:
            found += _fields(one, other)
    return tuple(found)


def _fields(one: Perk, other: Perk) -> Iterable[Change]:
    if one.threshold != other.threshold:
        shown = (f"{one.threshold / 10:g}分", f"{other.threshold / 10:g}分")
        yield _change(other, "threshold", "门槛", shown, DOWN if other.threshold > one.threshold else UP)
    if one.cap != other.cap:
        shown = (f"{one.cap / 100:g}元", f"{other.cap / 100:g}元")
        yield _change(other, "cap", "上限", shown, DOWN if other.cap < one.cap else UP)
    if one.closed != other.closed:
        yield _change(other, "closed", "办理", _open(one, other), DOWN if other.closed else UP)
    for field, what, before, after, effect in termchanges.differences(one, other):
        yield _change(other, field, what, (before, after), effect)
    for field in ("over_cap", "terminals", "valid_months", "sector", "field", "after_default"):
        if getattr(one, field) != getattr(other, field):
            yield _change(other, field, field, (str(getattr(one, field)), str(getattr(other, field))), OPEN)
    for field, what in _WORDS.items():
        if getattr(one, field) != getattr(other, field):
            effect = WORDS if field == "name" else OPEN
            yield _change(other, field, what, (getattr(one, field), getattr(other, field)), effect)


def _open(*perks: Perk) -> tuple[str, str]:
    one, other = ("暂停" if perk.closed else "开放" for perk in perks)
    return one, other


def _change(perk: Perk, field: str, what: str, shown: tuple[str, str], effect: str) -> Change:
    basis = perk.basis.shown()
    return Change(perk.id, perk.name, field, what, *shown, basis, basis, effect)


def infer(
    partner: str, perks: Sequence[str], now: Mapping[str, int], then: Mapping[str, int], year: Mapping[str, set[int]]
) -> Inference:
    """Give what a partner with these perks can tell, from open thresholds (tenths) now, then, and in the last year."""
    here = sorted({now[perk] for perk in perks if perk in now})
    there = sorted({then[perk] for perk in perks if perk in then})
    ever = {*here, *there}.union(*(year.get(perk, set()) for perk in perks))
    return Inference(
        partner=partner,
        perks=tuple(sorted(perk for perk in perks if perk in now or perk in then)),
        thresholds=tuple(start / 10 for start in there),
        per_perk=MOST_BITS_A_PERK if there else 0.0,
        now=_bits(here),
        then=_bits(there),
        across=_bits(ever),
        each_repeat=_bits(there),
    )


def _bits(thresholds: Iterable[int]) -> float:
    """log2 of the classes that so many different thresholds make."""
    return round(log2(len(set(thresholds)) + 1), 2)

"""A scorecard as a sheet of tables in plain Chinese (分数怎么算): what a citizen needs to count points with a pencil.

Pure. Every number stands in the scorecard; the words around them say how it is counted. For the page, the documents and
whoever wants to print it.
"""

import msgspec

from scoring.book.catalogue import Catalogue
from scoring.book.rules import Deduction, Indicator
from scoring.book.scorecard import Scorecard
from scoring.points.facts import HOURS, HOURS_A_DAY
from scoring.points.wording import limits, shown, window

_COUNTED = {
    "months": "有记录的月份，同一个月只算一次",
    "best": "获得过的最高一级",
    "clean_years": "没有记录仍在扣分的年度，每365天是一个年度",
}


class Gain(msgspec.Struct, frozen=True):
    """What is counted, how, what each gives, how far back it is looked, and the most it gives; levels with theirs."""

    name: str
    kinds: tuple[str, ...]
    counted: str
    each: str
    period: str
    most: str
    levels: tuple[tuple[str, str], ...]


class Group(msgspec.Struct, frozen=True):
    """A dimension: its name, the most that it gives, and what it is made of."""

    name: str
    most: str
    gains: tuple[Gain, ...]


class Loss(msgspec.Struct, frozen=True):
    """What is taken off for each record, the most of a kind, and until when."""

    name: str
    each: str
    most: str
    until: str


class Sheet(msgspec.Struct, frozen=True):
    """All tables. `plain` and `plain_tier` are of somebody without any record; `least` and `most` can be reached."""

    card: str
    base: str
    tiers: tuple[tuple[str, str], ...]
    groups: tuple[Group, ...]
    losses: tuple[Loss, ...]
    losses_most: str
    holds: tuple[Loss, ...]
    clean: str
    plain: float
    plain_tier: str
    least: str
    most: str


def of(card: Scorecard, catalogue: Catalogue) -> Sheet:
    """Make the sheet of a scorecard; `catalogue` names the kinds."""
    clean = sum(rule.cap for rule in card.indicators() if rule.measure == "clean_years")
    plain = min(card.base + clean, card.high)
    return Sheet(
        card=card.id,
        base=_points(card.base),
        tiers=tuple(_tiers(card)),
        groups=tuple(
            Group(one.name, _points(one.cap), tuple(_gain(rule, catalogue) for rule in one.indicators if rule.enabled))
            for one in card.dimensions
        ),
        losses=tuple(_loss(rule) for rule in card.deductions),
        losses_most=_points(card.deduction_cap),
        holds=tuple(Loss(one.name, "不扣分", "不扣分", one.recover) for one in card.holds),
        clean=_points(clean),
        plain=shown(plain),
        plain_tier=card.tier(plain).name,
        least=_points(max(card.low, card.base - card.deduction_cap)),
        most=_points(min(card.high, card.base + sum(_reached(one.indicators, one.cap) for one in card.dimensions))),
    )


def _points(tenths: int) -> str:
    return f"{shown(tenths):g}分"


def _tiers(card: Scorecard) -> list[tuple[str, str]]:
    """Name each tier and the points in it."""
    above = [*card.tiers[1:], None]
    return [
        (tier.name, f"不到{_points(upper.start)}" if upper and tier.start <= card.low else f"满{_points(tier.start)}")
        for tier, upper in zip(card.tiers, above, strict=True)
    ]


def _reached(rules: tuple[Indicator, ...], cap: int) -> int:
    """Give the most tenths that a dimension can give now."""
    return min(cap, sum(rule.cap for rule in rules if rule.enabled))


def _gain(rule: Indicator, catalogue: Catalogue) -> Gain:
    levels = tuple((one.name, _points(one.points)) for one in rule.levels)
    return Gain(
        name=rule.name,
        kinds=() if rule.measure == "clean_years" else tuple(catalogue.kinds[kind].name for kind in rule.kinds),
        counted=_counted(rule),
        each="看级别" if rule.levels else f"每{rule.unit}{_points(rule.points)}",
        period=f"最近{rule.years}个年度" if rule.measure == "clean_years" else _period(rule.window_months),
        most=_points(rule.cap),
        levels=levels,
    )


def _counted(rule: Indicator) -> str:
    if rule.measure == "sum":
        return f"{rule.unit}数相加" + (f"，每天最多计{HOURS_A_DAY}{rule.unit}" if HOURS in rule.kinds else "")
    return _COUNTED.get(rule.measure, "条数")


def _period(months: int) -> str:
    return f"最近{window(months)}" if months else "长期有效"


def _loss(rule: Deduction) -> Loss:
    until = "；".join(one for one in (limits(rule), rule.recover) if one)
    return Loss(rule.name, f"每项{_points(rule.points)}", _points(rule.cap), until)

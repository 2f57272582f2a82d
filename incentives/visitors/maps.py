"""Whom we recognise, and which of our perks a threshold of theirs is worth. Pure.

A city has a scale of its own, so points are never converted: a map says that whoever reached a published threshold
there has this perk here, on the terms of our own perk, no more and no less. Promises: of a city and a perk one
threshold rules on a day, and whoever shows a higher one has it too, so showing more never brings less; what no rule
grants is the standard route that everybody has. Who is not on the trust list is nobody, whatever a map says.
"""

import re
from collections.abc import Collection, Iterable
from datetime import date

import msgspec

from scoring.book.basis import Basis

_PREDICATE = re.compile(r"over_([1-9][0-9]{0,3})")


class Rule(msgspec.Struct, frozen=True):
    """Whoever reached `least` whole points there has `perks` here, from `since` until `until`, both days included."""

    least: int
    perks: tuple[str, ...]
    since: date | None
    until: date | None

    def rules(self, perk: str, day: date) -> bool:
        """Whether it speaks of a perk on a day."""
        return perk in self.perks and (self.since or day) <= day <= (self.until or day)


class Level(msgspec.Struct, frozen=True):
    """A level of the league: the map that all its cities share."""

    id: str
    name: str
    rules: tuple[Rule, ...]
    basis: Basis


class City(msgspec.Struct, frozen=True):
    """A city that is recognised: its code of GB/T 2260, its level if it has one, and what is agreed with it alone.

    `issuer` pins its issuer beside the trust list, where a city wants that. Its own rules go before its level's.
    """

    code: str
    name: str
    level: str | None
    issuer: str | None
    since: date | None
    until: date | None
    rules: tuple[Rule, ...]
    basis: Basis


class Maps(msgspec.Struct, frozen=True):
    """Everything that one file says."""

    levels: tuple[Level, ...]
    cities: tuple[City, ...]

    def city(self, code: str, day: date) -> City | None:
        """A city that is recognised on a day."""
        found = (one for one in self.cities if one.code == code)
        return next((one for one in found if (one.since or day) <= day <= (one.until or day)), None)

    def needed(self, code: str, perk: str, day: date) -> int | None:
        """The threshold of a city that this perk needs on a day, in whole points there; None: it is not recognised."""
        if (city := self.city(code, day)) is None:
            return None
        levels = [one.rules for one in self.levels if one.id == city.level]
        for rules in (city.rules, *levels):
            if found := [rule.least for rule in rules if rule.rules(perk, day)]:
                return found[0]
        return None

    def asks(self, perk: str, day: date) -> dict[int, tuple[str, ...]]:
        """What a visitor would have to show for a perk: each threshold with the cities where it is the one needed."""
        found: dict[int, list[str]] = {}
        for code in sorted({one.code for one in self.cities}):
            if (least := self.needed(code, perk, day)) is not None:
                found.setdefault(least, []).append(code)
        return {least: tuple(found[least]) for least in sorted(found)}

    def grants(self, code: str, reached: Iterable[str], perk: str, day: date) -> bool:
        """Whether predicates that a city attests are worth a perk on a day."""
        least = self.needed(code, perk, day)
        return least is not None and any(points >= least for points in map(points_of, reached) if points is not None)

    def perks(self) -> Collection[str]:
        """Every perk that some rule speaks of."""
        rules = [rule for one in (*self.levels, *self.cities) for rule in one.rules]
        return {perk for rule in rules for perk in rule.perks}


def points_of(predicate: str) -> int | None:
    """The whole points that a predicate says were reached; None for what is no predicate."""
    found = _PREDICATE.fullmatch(predicate)
    return None if found is None else int(found[1])

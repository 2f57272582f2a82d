"""The default scorecard in OpenFisca, for one person: records are members of a group entity, indicators its variables.

It is given what zen-engine is given: day numbers, cut-offs ready made, rows whose months are distinct already; it tells
points, but no rows and no end dates.
"""

import importlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from scoring.book.scorecard import Scorecard

_INPUTS = ("kind", "day", "quantity", "level", "from", "until")
_DAY = "2026-11-22"
_YEAR = 365
Formula = Callable[[Any, Any], Any]


def _part(module: str, name: str) -> Any:
    """Give a part of OpenFisca, whose types no checker can follow."""
    return getattr(importlib.import_module(f"openfisca_core.{module}"), name)


def build(card: Scorecard, given: dict[str, Any]) -> Callable[[], dict[str, int]]:
    """Give a function that builds the person's simulation, traced, and calculates every number of the card."""
    builder = _part("simulation_builder", "SimulationBuilder")
    kinds = {kind: place for place, kind in enumerate(sorted(card.kinds()))}
    built, formulas = system(card, given, kinds)
    rows = {
        f"r{place}": {f"record_{name}": {_DAY: kinds[row["kind"]] if name == "kind" else row[name]} for name in _INPUTS}
        for place, row in enumerate(given["rows"])
    }
    asked = {"records": rows, "citizens": {"one": {"rows": list(rows)}}}

    def run() -> dict[str, int]:
        simulation = builder().build_from_entities(built, asked)
        simulation.trace = True
        return {name: int(simulation.calculate(name, _DAY)[0]) for name in formulas}

    return run


def system(card: Scorecard, given: dict[str, Any], kinds: dict[str, int]) -> tuple[Any, list[str]]:
    """Build the system of entities and variables; gives it with the names of what can be calculated."""
    build_entity = _part("entities", "build_entity")
    record = build_entity("record", "records", "A record", is_person=True)
    citizen = build_entity("citizen", "citizens", "A citizen", roles=[{"key": "row", "plural": "rows"}])
    built = _part("taxbenefitsystems", "TaxBenefitSystem")([record, citizen])
    for name in _INPUTS:
        built.add_variable(_variable(f"record_{name}", record))
    formulas = _formulas(card, given, kinds)
    for name, formula in formulas.items():
        built.add_variable(_variable(name, citizen, formula))
    return built, list(formulas)


def _variable(name: str, entity: Any, formula: Formula | None = None) -> Any:
    """Give a variable of a day, a whole number."""
    day = _part("periods", "DateUnit").DAY
    members: dict[str, Any] = {"value_type": int, "entity": entity, "definition_period": day, "label": name}
    if formula is not None:

        def asked(group: Any, period: Any, _parameters: Any = None) -> Any:
            return formula(group, period)

        members["formula"] = asked
    return type(name, (_part("variables", "Variable"),), members)


class _Formulas:
    """Every kind of rule as a formula of the citizen."""

    def __init__(self, given: dict[str, Any], kinds: dict[str, int]) -> None:
        self.today, self.adult, self.cuts = given["today"], given["adult"], given["cuts"]
        self.kinds = kinds

    def gained(self, rule: Any) -> Formula:
        """Months, sums and best levels."""
        mine = [self.kinds[kind] for kind in rule.kinds]

        def formula(group: Any, period: Any) -> Any:
            day = _read(group, period, "day")
            counts = np.isin(_read(group, period, "kind"), mine) & (day > self.cuts[rule.id])
            counts &= (day >= self.adult) & (day <= self.today)
            if rule.measure == "best":
                level = _read(group, period, "level")
                worth = sum(np.where(level == one.level, one.points, 0) for one in rule.levels)
                return np.minimum(rule.cap, np.maximum(0, group.max(np.where(counts, worth, 0))))
            units = _read(group, period, "quantity") if rule.measure == "sum" else np.ones_like(day)
            return np.minimum(rule.cap, group.sum(np.where(counts, units, 0)) * rule.points)

        return formula

    def lost(self, rule: Any) -> Formula:
        """Deductions while they are open."""

        def formula(group: Any, period: Any) -> Any:
            counts = self._live(group, period, [rule.kind]) & (_read(group, period, "day") > self.cuts[rule.id])
            return np.minimum(rule.cap, group.sum(counts) * rule.points)

        return formula

    def clean(self, rule: Any) -> Formula:
        """Years without a day of a deduction that still counts."""

        def formula(group: Any, period: Any) -> Any:
            counts = self._live(group, period, rule.kinds)
            oldest = group.min(np.where(counts, _read(group, period, "from"), self.today + 1))
            touched = np.minimum(rule.years, (self.today - oldest) // _YEAR + 1)
            return (rule.years - np.maximum(0, touched)) * rule.points

        return formula

    def _live(self, group: Any, period: Any, kinds: Iterable[str]) -> Any:
        open_now = (_read(group, period, "from") <= self.today) & (_read(group, period, "until") > self.today)
        mine = np.isin(_read(group, period, "kind"), [self.kinds[kind] for kind in kinds])
        return mine & open_now & (_read(group, period, "day") >= self.adult)


def _read(group: Any, period: Any, name: str) -> Any:
    return group.members(f"record_{name}", period)


def _total(names: list[str], cap: int) -> Formula:
    def formula(group: Any, period: Any) -> Any:
        return np.minimum(cap, sum(group(name, period) for name in names))

    return formula


def _formulas(card: Scorecard, given: dict[str, Any], kinds: dict[str, int]) -> dict[str, Formula]:
    """Write every number of the card."""
    write = _Formulas(given, kinds)
    found = {
        f"i_{one.id}": (write.clean if one.measure == "clean_years" else write.gained)(one) for one in card.indicators()
    }
    found |= {f"n_{one.id}": write.lost(one) for one in card.deductions}
    for one in card.dimensions:
        found[f"d_{one.id}"] = _total([f"i_{rule.id}" for rule in one.indicators if rule.enabled], one.cap)
    gains = _total([f"d_{one.id}" for one in card.dimensions], card.high)
    losses = _total([f"n_{one.id}" for one in card.deductions], card.deduction_cap)

    def points(group: Any, period: Any) -> Any:
        return np.clip(card.base + gains(group, period) - losses(group, period), card.low, card.high)

    return found | {"points_tenths": points}

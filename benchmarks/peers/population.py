"""The default scorecard in OpenFisca over many citizens at once, as it is meant to be used: arrays of a population.

It has no rows of a ledger, so records are its persons and citizens its groups, and it is given ready made what it has
no words for: active rows of registered adults, one a month where months are counted, days as numbers. None of that is
timed. Its formulas are those of `benchmarks.peers.fisca`.
"""

import importlib
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from benchmarks.peers import fisca
from core.months import shift
from scoring.book.scorecard import Scorecard

pandas: Any = importlib.import_module("pandas")

_DAY = "2026-11-22"
_NEVER = np.datetime64("2200-01-01")


def prepare(
    records: Any, register: Any, card: Scorecard, as_of: date
) -> tuple[list[int], Callable[[], dict[str, Any]]]:
    """Give the citizens of two Arrow tables, and a function that calculates every number of the card for them."""
    people = register.to_pandas(date_as_object=False).query("adult_on <= @as_of").sort_values("subject")
    rows = _rows(records, card, as_of).merge(people, on="subject")
    kinds = {kind: place for place, kind in enumerate(sorted(card.kinds()))}
    windows = {rule.id: rule.window_months for rule in card.indicators()}
    windows |= {rule.id: rule.hard_stop_months for rule in card.deductions}
    given = {
        "today": as_of.toordinal(),
        "adult": _days(rows.adult_on),
        "cuts": {name: shift(as_of, -window).toordinal() if window else 0 for name, window in windows.items()},
    }
    columns = {
        "kind": rows.kind.map(kinds).to_numpy(),
        "day": _days(rows.occurred_on),
        "quantity": rows.quantity.to_numpy(),
        "level": rows.level.fillna(0).to_numpy("int64"),
        "from": _days(rows.from_on.fillna(pandas.Timestamp(0))),
        "until": _days(rows.until_on.fillna(pandas.Timestamp(_NEVER))),
    }
    return list(people.subject), _run(card, given, kinds, columns, rows.subject.to_numpy(), people.subject.to_numpy())


def _run(
    card: Scorecard, given: dict[str, Any], kinds: dict[str, int], columns: dict[str, Any], owners: Any, people: Any
) -> Callable[[], dict[str, Any]]:
    system, names = fisca.system(card, given, kinds)
    builder: Any = importlib.import_module("openfisca_core.simulation_builder").SimulationBuilder

    def run() -> dict[str, Any]:
        made = builder()
        made.create_entities(system)
        made.declare_person_entity("record", np.arange(len(owners)))
        citizens = made.declare_entity("citizen", people)
        made.join_with_persons(citizens, owners, np.repeat("row", len(owners)))
        simulation = made.build(system)
        for name, values in columns.items():
            simulation.set_input(f"record_{name}", _DAY, values)
        return {name: simulation.calculate(name, _DAY) for name in names}

    return run


def _rows(records: Any, card: Scorecard, as_of: date) -> Any:
    """Give active rows that count before any hard stop, one a person, rule and month where the rule counts months."""
    rows = records.to_pandas(date_as_object=False)
    rows = rows[(rows.status == "active") & rows.kind.isin(card.kinds())].sort_values("occurred_on", ascending=False)
    stops = {
        one.kind: pandas.Timestamp(shift(as_of, -one.hard_stop_months))
        for one in card.deductions
        if one.hard_stop_months
    }
    stop = pandas.to_datetime(rows.kind.map(stops))
    rows = rows[stop.isna() | (rows.occurred_on > stop)]
    by_month = {kind: rule.id for rule in card.indicators() if rule.measure == "months" for kind in rule.kinds}
    monthly = rows[rows.kind.isin(by_month)]
    monthly = monthly.assign(rule=monthly.kind.map(by_month), month=monthly.occurred_on.dt.to_period("M"))
    today = monthly.occurred_on <= pandas.Timestamp(as_of)
    monthly = monthly[today].drop_duplicates(["subject", "rule", "month"])
    return pandas.concat([monthly[list(rows.columns)], rows[~rows.kind.isin(by_month)]])


def _days(column: Any) -> Any:
    """Give days as Python's ordinals."""
    days = column.to_numpy().astype("datetime64[D]").astype("int64")
    return days + date(1970, 1, 1).toordinal()

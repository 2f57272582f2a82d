"""The default scorecard as somebody would write it in pandas: filters, group-bys, a merge with the register."""

import importlib
from datetime import date, timedelta
from typing import Any

from core.months import shift
from scoring.batch import plan
from scoring.batch.sources import arrow, schema
from scoring.book.rules import Indicator
from scoring.book.scorecard import Scorecard

pandas: Any = importlib.import_module("pandas")


def prepare(records: Any, register: Any, card: Scorecard, as_of: date) -> tuple[Any, Any, Scorecard, date]:
    """Have the rows in memory as frames, days as numbers of days."""
    days = ("occurred_on", "from_on", "until_on", "adult_on")
    frames: list[Any] = []
    for table in (records, register):
        frame = table.to_pandas(date_as_object=False)
        for name in set(days) & set(frame.columns):
            frame[name] = pandas.to_datetime(frame[name])
        frames.append(frame)
    return frames[0], frames[1], card, as_of


def run(prepared: tuple[Any, Any, Scorecard, date]) -> Any:
    """Score them; gives the contract's columns as an Arrow table, by subject."""
    records, register, card, as_of = prepared
    today = pandas.Timestamp(as_of)
    register = register[register.adult_on <= today]
    rows = records[records.status == "active"].merge(register, on="subject")
    rows = rows[rows.occurred_on >= rows.adult_on]
    out = register[["subject"]].sort_values("subject").set_index("subject")
    live = rows[(rows.from_on <= today) & (rows.until_on.isna() | (rows.until_on > today))]
    standing: dict[str, Any] = {}
    for rule in card.deductions:
        mine = live[(live.kind == rule.kind) & (live.occurred_on > _cut(as_of, rule.hard_stop_months))]
        standing[rule.kind] = mine
        out[f"n_{rule.id}"] = (mine.groupby("subject").size() * rule.points).clip(upper=rule.cap)
    for rule in card.indicators():
        if rule.measure == "clean_years":
            first = pandas.concat([standing[kind] for kind in rule.kinds]).groupby("subject").from_on.min()
            first = first.reindex(out.index)
            ends = [pandas.Timestamp(as_of - timedelta(days=365 * back)) for back in range(rule.years)]
            clean: Any = rule.years - sum((first <= end).astype("int64") for end in ends)
            out[f"i_{rule.id}"] = (clean * rule.points).clip(upper=rule.cap)
            continue
        inside = (rows.occurred_on > _cut(as_of, rule.window_months)) & (rows.occurred_on <= today)
        mine = rows[rows.kind.isin(rule.kinds) & inside]
        out[f"i_{rule.id}"] = _amount(rule, mine).clip(upper=rule.cap)
    out = out.fillna(0).astype("int64")
    return _table(out, card, live[live.kind.isin([hold.kind for hold in card.holds])].subject)


def _amount(rule: Indicator, mine: Any) -> Any:
    """Give each subject's tenths before the cap."""
    if rule.measure == "months":
        months = mine.assign(month=mine.occurred_on.dt.year * 12 + mine.occurred_on.dt.month)
        return months.groupby("subject").month.nunique() * rule.points
    if rule.measure == "sum":
        return mine.groupby("subject").quantity.sum() * rule.points
    points = {level.level: level.points for level in rule.levels}
    return mine.assign(points=mine.level.map(points).fillna(0)).groupby("subject").points.max()


def _table(out: Any, card: Scorecard, held: Any) -> Any:
    for dimension in card.dimensions:
        parts = [f"i_{rule.id}" for rule in dimension.indicators if rule.enabled]
        out[f"d_{dimension.id}"] = out[parts].sum(axis=1).clip(upper=dimension.cap)
    gained = out[[f"d_{dimension.id}" for dimension in card.dimensions]].sum(axis=1)
    lost = out[[f"n_{rule.id}" for rule in card.deductions]].sum(axis=1).clip(upper=card.deduction_cap)
    out["points_tenths"] = (card.base + gained - lost).clip(card.low, card.high)
    starts = [*(tier.start for tier in card.tiers), card.high + 1]
    names = [tier.name for tier in card.tiers]
    out["held"] = out.index.isin(held.unique())
    out["tier"] = pandas.cut(out.points_tenths, starts, right=False, labels=names).astype("str")
    out.loc[out.held, "tier"] = names[0]
    wanted = schema(plan.columns(card))
    return arrow.Table.from_pandas(out.reset_index()[wanted.names], schema=wanted).replace_schema_metadata(None)


def _cut(as_of: date, window_months: int) -> Any:
    return pandas.Timestamp(shift(as_of, -window_months) if window_months else date(1900, 1, 1))

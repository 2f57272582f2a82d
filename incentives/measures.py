"""A quarter of incentive measures, by perk: how often each was given, settled, taken back. Public; no person in it.

Made once, by the jobs, when the quarter is over, and due within 15 working days after it (HF17 (十五)); what was made
stays as it is. A cell about fewer than ten holders is hidden, and others with it where a total would give it away
(`core.smallcells`); an amount is shown where its cell is.
"""

from collections.abc import Mapping
from datetime import date

import msgspec
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, smallcells, workdays
from core.audit import Actor
from core.smallcells import Cell, Shown
from core.tables import audit_entry
from incentives.events.tables import measure_report
from scoring.reports import quarter as quarters
from scoring.reports.quarter import Quarter

DUE_DAYS = 15


class Measure(msgspec.Struct, frozen=True):
    """A cell: what happened to orders of a perk, how often, about how many holders, fen; null where `suppressed`."""

    perk: str
    act: str
    times: int | None
    holders: int | None
    amount: int | None
    suppressed: bool


class Report(msgspec.Struct, frozen=True):
    """A quarter; `total` is null where it would give a hidden cell away. `provisional`: see core.workdays."""

    quarter: str
    first: date
    last: date
    due_on: date
    provisional: bool
    made_on: date
    in_time: bool
    measures: list[Measure]
    total: int | None


class Obligation(msgspec.Struct, frozen=True):
    """What the office owes: the report of a quarter, by when, and whether it is there."""

    quarter: str
    due_on: date
    provisional: bool
    done: bool
    late: bool


async def made(session: AsyncSession, *, quarter: Quarter) -> bytes | None:
    """The report of a quarter as it was made, in JSON; None while there is none."""
    return await session.scalar(select(measure_report.c.body).where(measure_report.c.quarter == quarter.name))


async def every(session: AsyncSession) -> list[str]:
    """The quarters that have one, newest first."""
    return list(await session.scalars(select(measure_report.c.quarter).order_by(measure_report.c.quarter.desc())))


async def owed(session: AsyncSession, *, today: date) -> Obligation:
    """The report of the last quarter that is over."""
    quarter = quarters.over(today)
    due = await workdays.due(session, start=quarter.last, days=DUE_DAYS)
    done = await made(session, quarter=quarter) is not None
    return Obligation(quarter.name, due.on, due.provisional, done, late=not done and today > due.on)


async def make(session: AsyncSession, *, quarter: Quarter) -> Report | None:
    """Make and keep the report of a quarter that is over, unless it is there. `session` is of the jobs door.

    None, too, for a quarter that was over before anything was done here.
    """
    begin, end = quarter.instants(clock.CITY_ZONE)
    oldest = await session.scalar(select(audit_entry.c.at).order_by(audit_entry.c.id).limit(1))
    if oldest is None or oldest >= end or await made(session, quarter=quarter) is not None:
        return None
    rows = (await session.execute(text(_MEASURES), {"begin": begin, "end": end})).mappings()
    cells = {(row["perk"], row["kind"]): dict(row) for row in rows}
    found = await _report(session, quarter, cells)
    body = msgspec.json.encode(found)
    await session.execute(insert(measure_report).values(quarter=quarter.name, made_at=clock.civil(), body=body))
    await audit.write(
        session, actor=Actor("system", "jobs"), action="measures.make", purpose="statistics", outcome="done",
        detail={"quarter": quarter.name, "in_time": found.in_time},
    )  # fmt: skip
    return found


async def _report(
    session: AsyncSession, quarter: Quarter, cells: Mapping[tuple[str, str], Mapping[str, int]]
) -> Report:
    due, today = await workdays.due(session, start=quarter.last, days=DUE_DAYS), clock.today()
    table = smallcells.publish([Cell(key, cell["times"], cell["holders"]) for key, cell in cells.items()])
    return Report(
        quarter=quarter.name,
        first=quarter.first,
        last=quarter.last,
        due_on=due.on,
        provisional=due.provisional,
        made_on=today,
        in_time=today <= due.on,
        measures=[_measure(shown, cells) for shown in table.cells],
        total=table.total,
    )


def _measure(shown: Shown, cells: Mapping[tuple[str, str], Mapping[str, int]]) -> Measure:
    perk, act = shown.key
    amount = None if shown.suppressed else cells[perk, act]["amount"]
    return Measure(perk, act, shown.accesses, shown.persons, amount, shown.suppressed)


_MEASURES = "select * from incentives.measures(:begin, :end)"

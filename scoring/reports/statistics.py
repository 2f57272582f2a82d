"""A quarter in numbers, for everybody: who joined and left, tiers, rights and times kept, perks, sources. No person.

Made once, by the jobs, when the quarter is over, and due within 15 working days after it (HF17 (十五)); what was made
stays as it is. Acts are counted in the log, which outlives what they were about; tiers are those of the day of making.
A cell about fewer than ten persons is hidden, and others with it where a total would give it away
(`core.smallcells`); tables are not compared with one another, nor with the exports of the log.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, smallcells, workdays
from core.audit import Actor
from core.smallcells import Cell, Table
from core.tables import audit_entry
from scoring.reports.quarter import Quarter
from scoring.reporttables import statistic

DUE_DAYS = 15
TIMELY_DAYS = 7
COUNTED = ("consent", "dispute", "repair", "declaration", "commitment", "correction", "review", "report")


class Count(msgspec.Struct, frozen=True):
    """One cell: how often, about how many persons; both null where `suppressed`."""

    name: str
    outcome: str
    times: int | None
    persons: int | None
    suppressed: bool


class Counts(msgspec.Struct, frozen=True):
    """A table; `total` is null where it would give a hidden cell away."""

    cells: list[Count]
    total: int | None


class SourceCount(msgspec.Struct, frozen=True):
    """What one source sent: pushes, lines, lines that were well-formed."""

    source: str
    pushes: int
    lines: int
    accepted: int


class Statistics(msgspec.Struct, frozen=True):
    """A quarter. `acts` by act and outcome; `tiers` on `made_on`; `times` by what is due and whether it was kept.

    `due_on`: the day by which this was to be there; `provisional`: a year of the calendar was not published yet.
    """

    quarter: str
    first: date
    last: date
    due_on: date
    provisional: bool
    made_on: date
    in_time: bool
    tiers: Counts
    acts: Counts
    perks: Counts
    times: Counts
    sources: list[SourceCount]


async def made(session: AsyncSession, *, quarter: Quarter) -> bytes | None:
    """The statistics of a quarter as they were made, in JSON; None while there are none."""
    return await session.scalar(select(statistic.c.body).where(statistic.c.quarter == quarter.name))


async def every(session: AsyncSession) -> list[str]:
    """The quarters that have any, newest first."""
    return list(await session.scalars(select(statistic.c.quarter).order_by(statistic.c.quarter.desc())))


async def make(session: AsyncSession, *, quarter: Quarter) -> Statistics | None:
    """Make and keep the statistics of a quarter that is over, unless they are there. `session` is of the jobs door.

    None, too, for a quarter that was over before anything was done here.
    """
    if await made(session, quarter=quarter) is not None or not await _had_begun(session, quarter):
        return None
    found = await _counted(session, quarter)
    body = msgspec.json.encode(found)
    await session.execute(insert(statistic).values(quarter=quarter.name, made_at=clock.civil(), body=body))
    await audit.write(
        session,
        actor=Actor("system", "jobs"),
        action="statistics.make",
        purpose="statistics",
        outcome="done",
        detail={"quarter": quarter.name, "in_time": found.in_time},
    )
    return found


async def _had_begun(session: AsyncSession, quarter: Quarter) -> bool:
    """Whether the oldest entry of the log is of this quarter or before it."""
    oldest = await session.scalar(select(audit_entry.c.at).order_by(audit_entry.c.id).limit(1))
    return oldest is not None and oldest < quarter.instants(clock.CITY_ZONE)[1]


async def _counted(session: AsyncSession, quarter: Quarter) -> Statistics:
    begin, end = quarter.instants(clock.CITY_ZONE)
    due = await workdays.due(session, start=quarter.last, days=DUE_DAYS)
    today = clock.today()
    given = {"begin": begin, "end": end}
    return Statistics(
        quarter=quarter.name,
        first=quarter.first,
        last=quarter.last,
        due_on=due.on,
        provisional=due.provisional,
        made_on=today,
        in_time=today <= due.on,
        tiers=_published(await _rows(session, _TIERS)),
        acts=_published(await _rows(session, _ACTS, **given, counted=list(COUNTED))),
        perks=_published(await _rows(session, _PERKS, **given)),
        times=_published([*await _disputes(session, begin, end), *await _timely(session, begin, end)]),
        sources=[SourceCount(*row) for row in await session.execute(text(_SOURCES), given)],
    )


async def _rows(session: AsyncSession, query: str, **given: Any) -> list[Cell]:
    """Cells of a query for name, outcome, times and persons."""
    rows = await session.execute(text(query), given)
    return [Cell((name, outcome), times, persons) for name, outcome, times, persons in rows]


async def _disputes(session: AsyncSession, begin: datetime, end: datetime) -> list[Cell]:
    """Disputes that were closed, by whether by their day."""
    return await _rows(session, _CLOSED, begin=begin, end=end)


async def _timely(session: AsyncSession, begin: datetime, end: datetime) -> list[Cell]:
    """Deductions that came in, by whether within seven working days after they took effect (LY20-15)."""
    rows = (await session.execute(text(_RECEIVED), {"begin": begin, "end": end})).all()
    limits = {day: (await workdays.due(session, start=day, days=TIMELY_DAYS)).on for day in {row.day for row in rows}}
    sums: dict[str, list[int]] = {}
    for row in rows:
        held = sums.setdefault("in_time" if row.received <= limits[row.day] else "late", [0, 0])
        held[0] += row.times
        held[1] += row.persons
    return [Cell(("record", outcome), times, persons) for outcome, (times, persons) in sums.items()]


def _published(cells: Sequence[Cell]) -> Counts:
    """The cells that may leave the house."""
    table = smallcells.publish(cells)
    return Counts(list(_cells(table)), table.total)


def _cells(table: Table) -> Iterable[Count]:
    for one in table.cells:
        name, outcome = one.key
        yield Count(name, outcome, one.accesses, one.persons, one.suppressed)


_TIERS = """
select s.tier, 'held', count(*), count(*) from scoring.standing s
join auth.live_consent c on c.id = s.consent_id group by s.tier
"""

_ACTS = """
select action, outcome, count(*), count(distinct owner) from core.audit_entry
where at >= :begin and at < :end and owner is not null and outcome <> 'denied'
  and split_part(action, '.', 1) = any (:counted)
  and (action not like 'consent.%' or purpose = 'score')
group by action, outcome
"""

_PERKS = """
select 'check', outcome, count(*), count(distinct owner) from core.audit_entry
where at >= :begin and at < :end and owner is not null and action = 'eligibility.check'
group by outcome
"""

_CLOSED = """
select 'dispute',
  case when (closed_at at time zone 'Asia/Shanghai')::date <= due_on then 'in_time' else 'late' end as kept,
  count(*), count(distinct citizen_id)
from scoring.dispute where closed_at >= :begin and closed_at < :end group by kept
"""

# One record may be of somebody who has others: persons are counted low, never high, by their records' subjects.
_RECEIVED = """
select from_on as day, (received_at at time zone 'Asia/Shanghai')::date as received, count(*) as times,
  count(distinct record_subject) as persons
from scoring.record
where received_at >= :begin and received_at < :end and kind like 'N%' and from_on is not null
group by day, received
"""

_SOURCES = """
select source, count(*), sum(received), sum(accepted) from scoring.batch
where received_at >= :begin and received_at < :end group by source order by source
"""

"""The quality board: what each source sent, how late, what was refused or strange, and a datum's way to its batch.

Read from the numbers of `scoring.tally` alone; cells about fewer than ten are hidden, with as many others as it takes
that no total gives them back. A record is traced by whoever has its number, to its place in the source's file; the
batch is shown from the other end as counts of what of it is still held.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import smallcells
from core.errors import NotFound
from core.smallcells import Cell
from scoring.book.kinds import Quality
from scoring.feeds import drift
from scoring.feeds.drift import Alert, Week
from scoring.feedtables import batch_rejection, feed_count
from scoring.tables import batch, record

DAYS = 7

Hidden = dict[str, int | None]  # null: hidden


class KindBoard(msgspec.Struct, frozen=True):
    """One kind of one source; a null is a number about fewer than ten, or one that would give such a number away.

    `took` counts new records by working days from document or event to receipt (`8`: eight and more).
    """

    kind: str
    accepted: int
    rejected: dict[str, int]
    stored: Hidden
    took: Hidden
    levels: Hidden
    quantities: Hidden


class DayBoard(msgspec.Struct, frozen=True):
    """The lines of one day."""

    day: date
    accepted: int
    rejected: int


class SourceBoard(msgspec.Struct, frozen=True):
    """One source over the days asked for; `alerts` judge its last seven days. `rejected` of no kind is under ""."""

    source: str
    alerts: list[Alert]
    kinds: list[KindBoard]
    ended: Hidden
    histories: Hidden
    days: list[DayBoard]


class BatchView(msgspec.Struct, frozen=True):
    """A batch: how and when it came, what was refused (with the first such line), what of it is still held, by kind.

    `withdrawn_at` says when its source took all of it back.
    """

    source: str
    via: str
    form: str
    name: str
    received_at: datetime
    received: int
    accepted: int
    rejected: list[dict[str, Any]]
    held: Hidden
    withdrawn_at: datetime | None


class Trace(msgspec.Struct, frozen=True):
    """Where a record came from: its source, number and version there, the batch, and the line of the batch's file."""

    source: str
    ref: str
    version: int
    kind: str
    batch_id: uuid.UUID
    line: int | None
    dated_on: date | None
    received_at: datetime


async def board(session: AsyncSession, *, today: date, days: int, rules: Quality) -> list[SourceBoard]:
    """Every source that sent anything in these days or in the weeks that they are judged against."""
    reach = max(days, DAYS * (rules.weeks * 2 + 1))
    query = select(feed_count).where(feed_count.c.day > today - timedelta(days=reach))
    rows = (await session.execute(query.order_by(feed_count.c.source, feed_count.c.day))).all()
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.source, []).append(row)
    since = today - timedelta(days=days)
    return [
        _source(name, [row for row in mine if row.day > since], alerts_of(mine, today=today, rules=rules))
        for name, mine in found.items()
    ]


def alerts_of(rows: Sequence[Any], *, today: date, rules: Quality) -> list[Alert]:
    """What is strange about one source's last seven days, today not among them, since it is not over."""
    weeks: list[list[Any]] = [[] for _ in range(rules.weeks * 2 + 1)]
    for row in rows:
        place = (today - row.day).days
        if 0 < place <= DAYS * len(weeks):
            weeks[(place - 1) // DAYS].append(row)
    while len(weeks) > 1 and not weeks[-1]:  # before the source's first line there was nothing to be usual
        weeks.pop()
    last, *earlier = [_week(one) for one in weeks]
    return drift.judge(last, earlier[::-1], rules)


def _week(rows: Iterable[Any]) -> Week:
    week = Week(Counter(), 0, {}, {}, {})
    rejected = 0
    for row in rows:
        if row.measure == "accepted":
            week.accepted[row.kind] += row.lines
        elif row.measure == "rejected":
            rejected += row.lines
        elif row.measure in {"took", "level", "quantity"}:
            getattr(week, row.measure).setdefault(row.kind, Counter())[row.value] += row.lines
    return msgspec.structs.replace(week, rejected=rejected)


def _source(name: str, rows: Sequence[Any], alerts: list[Alert]) -> SourceBoard:
    sums: dict[tuple[str, str], Counter[str]] = {}
    days: dict[date, Counter[str]] = {}
    for row in rows:
        sums.setdefault((row.kind, row.measure), Counter())[row.value] += row.lines
        days.setdefault(row.day, Counter())[row.measure] += row.lines
    kinds = sorted({kind for kind, measure in sums if kind or measure == "rejected"})
    return SourceBoard(
        source=name,
        alerts=alerts,
        kinds=[
            _kind(kind, {measure: counts for (of, measure), counts in sums.items() if of == kind}) for kind in kinds
        ],
        ended=_shown(sums.get(("", "ended"), {})),
        histories=_shown(sums.get(("", "pull"), {})),
        days=[DayBoard(day, counts["accepted"], counts["rejected"]) for day, counts in sorted(days.items())],
    )


def _kind(kind: str, sums: Mapping[str, Counter[str]]) -> KindBoard:
    none = Counter[str]()
    return KindBoard(
        kind=kind,
        accepted=sums.get("accepted", none).total(),
        rejected=dict(sorted(sums.get("rejected", none).items())),
        stored=_shown(sums.get("stored", none)),
        took=_shown(sums.get("took", none)),
        levels=_shown(sums.get("level", none)),
        quantities=_shown(sums.get("quantity", none)),
    )


def _shown(counts: Mapping[str, int]) -> Hidden:
    """A distribution as it may be shown. Lines stand for persons: there are never more persons than lines."""
    cells = [Cell((name,), lines, lines) for name, lines in counts.items() if lines > 0]
    return {cell.key[0]: cell.accesses for cell in smallcells.publish(cells).cells}


async def one_batch(session: AsyncSession, *, batch_id: uuid.UUID) -> BatchView:
    """A batch without what is held of it; raises NotFound."""
    row = (await session.execute(select(batch).where(batch.c.id == batch_id))).one_or_none()
    if row is None:
        raise NotFound
    refused = (
        select(batch_rejection).where(batch_rejection.c.batch_id == batch_id).order_by(batch_rejection.c.first_line)
    )
    rejected = [
        {"kind": one.kind, "code": one.code, "lines": one.lines, "first_line": one.first_line}
        for one in await session.execute(refused)
    ]
    return BatchView(
        row.source, row.via, row.form, row.name, row.received_at, row.received, row.accepted, rejected, {},
        row.withdrawn_at,
    )  # fmt: skip


async def held(session: AsyncSession, *, batch_id: uuid.UUID) -> Hidden:
    """How many records of a batch are held of people who take part, by kind; `session` is of the scorer door."""
    mine = (record.c.batch_id == batch_id) & (record.c.status != "revoked")
    query = select(record.c.kind, func.count().label("lines")).where(mine)
    rows = await session.execute(query.group_by(record.c.kind))
    return _shown({row.kind: row.lines for row in rows})


async def trace(session: AsyncSession, *, record_id: uuid.UUID) -> tuple[uuid.UUID, Trace]:
    """A record's subject, and where it came from; raises NotFound. `session` is of the scorer door."""
    row = (await session.execute(select(record).where(record.c.id == record_id))).one_or_none()
    if row is None:
        raise NotFound
    found = Trace(row.source, row.ref, row.version, row.kind, row.batch_id, row.line, row.dated_on, row.received_at)
    return row.record_subject, found

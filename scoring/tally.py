"""What a source sent, as numbers: a day, a kind, a measure, a value, how many lines.

They are kept for the quality board (SZ24 (3): watch the data, tell what is strange) and hold nobody's data: no person,
no record, no batch, so that a withdrawal leaves nothing behind in them that leads anywhere. Written in the merge's own
transaction, in one order, as its last act but one: two merges wait here for each other at most, and never for long.

Measures, with their values: `accepted`; `rejected` (the code); `stored` (`new`, `newer`, `repeated`); of what is new,
`took` (working days from the document's effect, or else from the day it happened, to the receipt; `8` is eight and
more), `level`, `quantity` (`9` is nine and more); `ended` (`revoked`, `repaired`, and `withdrawn` with
their whole batch).
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, db
from scoring.feedtables import batch_rejection
from scoring.tables import batch

MOST_DAYS = 8
MOST_QUANTITY = 9

Counts = Counter[tuple[str, str, str]]  # kind, measure, value


class How(msgspec.Struct, frozen=True):
    """How a batch came: `push`, `drop` or `pull`; in which form; under which file name."""

    via: str = "push"
    form: str = "ndjson"
    name: str = ""


PUSHED = How()


class Batch(msgspec.Struct, frozen=True):
    """A push under way: `dropped` maps refs of unstored lines to their version (see `staging.stage`).

    `judged` counts its lines by kind and verdict (`scoring.tally`); `first` is the first line of each rejection.
    """

    id: uuid.UUID
    source: str
    received: int
    accepted: int
    dropped: Mapping[str, int]
    how: How = PUSHED
    judged: Mapping[tuple[str, str, str], int] = {}
    first: Mapping[tuple[str, str], int] = {}


class Sums:
    """What the merge has stored so far, in numbers."""

    def __init__(self, judged: Mapping[tuple[str, str, str], int]) -> None:
        """Begin with what the reading of the lines counted."""
        self.counts, self.began = Counts(judged), Counter[tuple[str, date]]()

    def add(self, rows: Iterable[Any]) -> None:
        """Count rows that the merge stored."""
        for row in rows:
            kind = row["kind"]
            self.counts[kind, "stored", "new" if row["fresh"] else "newer"] += 1
            if row["fresh"]:
                self.counts[kind, "level", str(row["level"] or 0)] += 1
                self.counts[kind, "quantity", str(min(row["quantity"], MOST_QUANTITY))] += 1
                self.began[kind, row["dated_on"]] += 1


async def keep(session: AsyncSession, pushed: Batch, sums: Sums, held: Mapping[str, int], received_on: date) -> None:
    """Keep what the batch was, without a word about anybody: its size, what was refused and where, its numbers."""
    how = msgspec.structs.asdict(pushed.how)
    await session.execute(
        batch.insert().values(
            id=pushed.id,
            source=pushed.source,
            received=pushed.received,
            accepted=pushed.accepted,
            received_at=clock.civil(),
            **how,
        )
    )
    refused = [
        {"batch_id": pushed.id, "kind": kind, "code": code, "first_line": line,
         "lines": pushed.judged[kind, "rejected", code]}
        for (kind, code), line in pushed.first.items()
    ]  # fmt: skip
    if refused:
        await session.execute(batch_rejection.insert(), refused)
    for kind, lines in held.items():
        stored = sums.counts[kind, "stored", "new"] + sums.counts[kind, "stored", "newer"]
        if lines > stored:
            sums.counts[kind, "stored", "repeated"] = lines - stored
    sums.counts.update(await _took(session, sums.began, received_on=received_on))
    await write(session, source=pushed.source, on=received_on, counts=+sums.counts)


async def _took(session: AsyncSession, began: Mapping[tuple[str, date], int], *, received_on: date) -> Counts:
    """How many working days the new records took from the day that the clock began (core.workday; else the week)."""
    connection = await db.raw(session)
    days = sorted({day for _, day in began})
    worked = {row["day"]: row["worked"] for row in await connection.fetch(_TOOK, days, received_on, MOST_DAYS)}
    counts = Counts()
    for (kind, day), lines in began.items():
        counts[kind, "took", str(worked[day])] += lines
    return counts


async def write(session: AsyncSession, *, source: str, on: date, counts: Counts) -> None:
    """Add to the numbers of a day."""
    if counts:
        connection = await db.raw(session)
        rows = [(source, on, *key, lines) for key, lines in sorted(counts.items())]
        await connection.executemany(_ADD, rows)


# Calendars are a few hundred rows; what lies further back than they need to be looked at has taken the most anyway.
_TOOK = """
select d.day, least($3, (
  select count(*) from generate_series(greatest(d.day, $2::date - 60) + 1, $2::date, '1 day') as g (at)
  left join core.workday w on w.day = g.at::date
  where coalesce(w.is_workday, extract(isodow from g.at) < 6)
))::integer as worked
from unnest($1::date[]) as d (day)
"""

_ADD = """
insert into scoring.feed_count as f (source, day, kind, measure, value, lines) values ($1, $2, $3, $4, $5, $6)
on conflict (source, day, kind, measure, value) do update set lines = f.lines + excluded.lines
"""

"""The daily pass over everyone, out of PostgreSQL and back, beside the way it was done before: row by row.

    .venv/bin/python benchmarks/nightly.py [citizens]

Counted: CPU of this process and of PostgreSQL beside it, wall time, and the peak size of this process. Every citizen
has 40 records. The first pass stores a standing for everybody; the second is the next day's, when points move by date
alone; the peer then makes the day after: 500 citizens a transaction, each one's records fetched and evaluated online.
Answers are checked: after each pass the peer finds nothing to change.
"""

import asyncio
import os
import resource
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
import ingest
from evaluate import person

from api.tool.signing import fresh_key
from core import clock, db, embedded
from core.epochs import make_epochs
from core.keys import Keyring
from scoring import holders, retention, rows, rulebook, standing
from scoring.batch import nightly

_COLUMNS = [
    *("id", "record_subject", "source", "ref", "version", "kind", "provider", "occurred_on", "quantity", "level"),
    *("severity", "from_on", "until_on", "sealed", "status", "status_at", "batch_id", "received_at"),
]
_PAGE = "select citizen_id from scoring.link where citizen_id > $1 order by citizen_id limit 500"


async def fill(owner: asyncpg.Connection, citizens: int) -> int:
    """Give everybody 40 records, shifted by up to two years so that windows end every day; returns how many."""
    subjects = [row[0] for row in await owner.fetch("select record_subject from scoring.live")]
    pattern, now, batch, count = person(), datetime.now(UTC), uuid.uuid4(), 0
    for start in range(0, citizens, 5_000):
        made = [
            (
                uuid.uuid4(), subject, "bench", f"{record.id}-{order}", 1, record.kind, "bench",
                record.occurred_on - timedelta(days=order % 700), record.quantity, record.level, record.severity,
                record.from_on, record.until_on, os.urandom(200), "active", now, batch, now,
            )
            for order, subject in enumerate(subjects[start : start + 5_000], start)
            for record in pattern
        ]  # fmt: skip
        await owner.copy_records_to_table("record", schema_name="scoring", columns=_COLUMNS, records=made)
        count += len(made)
    await owner.execute("vacuum analyze")
    return count


async def row_by_row(doors: db.Doors, as_of: date) -> int:
    """The peer: everybody locked, read and evaluated online; returns how many changed."""
    changed, last = 0, uuid.UUID(int=0)
    while True:
        async with doors.work("jobs") as session:
            book = await rulebook.current(session, on=as_of)
            page = await (await db.raw(session)).fetch(_PAGE, last)
            if not page:
                return changed
            last = page[-1][0]
            locked = await holders.lock(session, doors.ring, citizen_ids=[row[0] for row in page])
            await retention.spent(session, locked.values(), book=book, today=as_of)
            before = await rows.stored(session, locked)
            found = await standing.evaluate(session, locked.values(), as_of=as_of, book=book)
            some = {one: now for one, now in found.items() if standing.moved(before.get(one), now)}
            changed += len(await standing.store(session, locked, some, before=before, cause="date", book=book))


async def measured(
    what: str, beside: ingest.Postgres, citizens: int, records: int, run: Callable[[], Awaitable[int]]
) -> float:
    """One pass over everyone, told in a line; returns its seconds."""
    ours, theirs, started = time.process_time(), beside.seconds(), time.perf_counter()
    changed = await run()
    seconds = time.perf_counter() - started
    ours, theirs = time.process_time() - ours, beside.seconds() - theirs
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what:22} {seconds:7.1f} s  {records / seconds:10,.0f} records/s wall   CPU ours {ours:6.1f} s, PostgreSQL "
        f"{theirs:6.1f} s   {changed:,} of {citizens:,} changed   peak {peak:4.0f} MiB",
        flush=True,
    )
    return seconds


async def main(citizens: int) -> None:
    """Run it all."""
    home = Path(tempfile.mkdtemp(prefix="osm-nightly-"))
    epochs = home / "epochs.json"
    make_epochs(epochs)
    ring = Keyring(ingest.MASTER, epochs)
    with embedded.running(home / "pg") as cluster:
        await ingest.prepare(cluster.dsn(), ring, fresh_key())
        owner = await asyncpg.connect(cluster.dsn())
        beside = ingest.Postgres(owner.get_server_pid())
        await ingest.enrol(owner, ring, range(citizens))
        records = await fill(owner, citizens)
        doors = db.Doors(cluster.dsn(), ring, "osmanthus", size=3)
        today = clock.today()

        async def ours(day: date) -> int:
            return (await nightly.run(doors, as_of=day)).changed

        async def step(what: str, day: date, way: Callable[[date], Awaitable[int]]) -> float:
            return await measured(what, beside, citizens, records, lambda: way(day))

        print(f"{citizens:,} citizens, {records:,} records")
        await step("first pass", today, ours)
        mine = await step("the next day", today + timedelta(days=1), ours)
        assert await row_by_row(doors, today + timedelta(days=1)) == 0, "the peer finds something to change"
        peer = await step("row by row, a day on", today + timedelta(days=2), lambda day: row_by_row(doors, day))
        print(f"row by row takes {peer / mine:.1f} x as long as the pass")
        await doors.close()
        await owner.close()
    embedded.erase(home / "pg")
    shutil.rmtree(home)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))

"""Threads after a restore: rows of a backup under the newest keys.

A backup holds threads back to citizens under epochs that are no more, and rows of people who left since. What the
newest records keys open is sealed anew; what they do not open is nobody's any more and goes. Works in the caller's one
transaction, as the owner, before the doors open.
"""

import uuid

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import db
from core.keys import KeyGone, Keyring
from core.sealed import SealBroken
from scoring import holders

_CHUNK = 5000


class Rethreaded(msgspec.Struct, frozen=True):
    """How many people's threads were sealed anew, and how many people and records went."""

    kept: int
    gone: int
    records: int


async def rethread(session: AsyncSession, ring: Keyring) -> Rethreaded:
    """Seal anew every thread that opens; delete points, threads and records of everybody else."""
    connection = await db.raw(session)
    last, kept, gone = uuid.UUID(int=0), 0, 0
    while rows := await connection.fetch(_LINKS, last, _CHUNK):
        last = rows[-1]["citizen_id"]
        opened = {row["citizen_id"]: _subject(ring, row) for row in rows}
        threads = [
            (subject, *ring.seal_epoch(citizen_id.bytes, place=(*holders.OWNER, subject.bytes)))
            for citizen_id, subject in opened.items()
            if subject is not None
        ]
        if threads:
            await connection.execute(holders.MOVE, *zip(*threads, strict=True))
        lost = [citizen_id for citizen_id, subject in opened.items() if subject is None]
        for table in ("standing_change", "standing", "link"):
            await connection.execute(f"delete from scoring.{table} where citizen_id = any($1::uuid[])", lost)  # noqa: S608
        kept, gone = kept + len(threads), gone + len(lost)
    records = await connection.fetchval(_RECORDS, list(ring.epochs))
    await connection.execute("delete from scoring.live where epoch <> all($1::integer[])", list(ring.epochs))
    return Rethreaded(kept, gone, records)


def _subject(ring: Keyring, row: asyncpg.Record) -> uuid.UUID | None:
    """Whose records a link leads to; None when the newest key does not open it or there is none."""
    if row["wrapped"] is None:
        return None
    citizen_id = row["citizen_id"]
    try:
        key = ring.unwrap(row["wrapped"], epoch=row["epoch"], owner=citizen_id, purpose="records")
        return holders.read_thread(key, row["sealed"], citizen_id).record_subject
    except (KeyGone, SealBroken):
        return None


_LINKS = """
select l.citizen_id, l.sealed, k.epoch, k.wrapped
from scoring.link l left join keys.person_key k on k.owner = l.citizen_id and k.purpose = 'records'
where l.citizen_id > $1 order by l.citizen_id limit $2
"""

_RECORDS = """
with gone as (
  delete from scoring.record r where not exists (
    select from scoring.live l where l.record_subject = r.record_subject and l.epoch = any($1::integer[]))
  returning 1
)
select count(*) from gone
"""

"""A whole batch taken back by the source that sent it, as if it had never come.

Each record that the batch made or changed last goes, or what the same record said before counts again, as long as that
is kept (`retention.EARLIER_DAYS`); then it keeps the withdrawn version's number, so that sending the file again changes
nothing and only a higher version does. What a later batch has corrected meanwhile stays, and what had been revoked
stays revoked. Each person is rescored once and told, all in one transaction.

Not brought back: a record that the batch moved from one person to another, and earlier versions of another kind.
"""

import uuid
from collections.abc import Sequence
from datetime import date
from itertools import islice

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, db
from core.errors import NotFound
from core.keys import Keyring
from scoring import holders, merge, suspensions, tally
from scoring.rulebook import RuleBook
from scoring.tables import batch
from scoring.tally import Counts

ACTION = "records.withdraw"


async def withdraw(
    session: AsyncSession, ring: Keyring, *, source: str, batch_id: uuid.UUID, book: RuleBook, as_of: date
) -> int:
    """Take back what a batch of this source said; returns about how many people. Repeating changes nothing.

    `session` is of the scorer door. NotFound for a batch that is none, or another source's.
    """
    connection = await db.raw(session)
    await connection.execute(merge.TURN, source)  # no merge of this source meanwhile, which may correct these records
    mine = (batch.c.id == batch_id) & (batch.c.source == source)
    row = (await session.execute(select(batch.c.withdrawn_at).where(mine))).one_or_none()
    if row is None:
        raise NotFound
    if row.withdrawn_at is not None:
        return 0
    await session.execute(update(batch).where(mine).values(withdrawn_at=clock.civil()))
    await holders.unseen(session, _UNSEEN, source, batch_id, clock.civil())
    await connection.execute(_FORGET, source, batch_id)
    found = await connection.fetch(_WHO, source, batch_id)
    owners = await holders.owners(session, ring, record_subjects=[one["record_subject"] for one in found])
    people, records, changed = iter(sorted(owners.values())), 0, 0
    while some := list(islice(people, merge.CHUNK)):
        lines, persons = await _some(session, ring, source, batch_id, some, book, as_of)
        records, changed = records + lines, changed + persons
    if records:
        await tally.write(session, source=source, on=as_of, counts=Counts({("", "ended", "withdrawn"): records}))
    return changed


async def _some(
    session: AsyncSession,
    ring: Keyring,
    source: str,
    batch_id: uuid.UUID,
    some: Sequence[uuid.UUID],
    book: RuleBook,
    as_of: date,
) -> tuple[int, int]:
    """Take back what the batch said about some citizens; returns of how many records and people."""
    connection = await db.raw(session)
    people = list((await holders.lock(session, ring, citizen_ids=some)).values())
    subjects = [holder.record_subject for holder in people]
    given = (source, batch_id, subjects, clock.civil())
    rows = [*await connection.fetch(_BACK, *given), *await connection.fetch(_GONE, *given)]
    await suspensions.carry(session, record_subjects={row[0] for row in rows}, on=as_of)
    persons = await merge.settle(
        session, people, rows, source=source, book=book, as_of=as_of, action=ACTION, batch_id=batch_id
    )
    return len(rows), persons


# Of people whose consent has run out; before it is looked who is seen, since who renews meanwhile is.
_UNSEEN = "select scoring.withdraw_unseen($1, $2, $3)"

# What a withdrawn batch said is not what a withdrawal of its correction brings back: neither what this batch said, nor
# what lies behind it from one that was withdrawn while nobody saw the record, its person's consent having run out.
_FORGET = """
update scoring.record r set earlier = (
  select nullif(jsonb_agg(one order by place), '[]')
  from jsonb_array_elements(r.earlier) with ordinality as e (one, place)
  where not exists (
    select from scoring.batch b where b.id = (one ->> 'batch_id')::uuid and b.withdrawn_at is not null
  )
)
where r.source = $1 and r.earlier is not null
  and (r.batch_id = $2 or r.earlier @> jsonb_build_array(jsonb_build_object('batch_id', $2::text)))
"""

_WHO = """
select distinct r.record_subject from scoring.record r where r.source = $1 and r.batch_id = $2 and r.status <> 'revoked'
"""

# Hidden, disputed and repaired belong to the record and not to a version; revoked belongs to the version that it met.
_BACK = """
update scoring.record r
set provider = e.provider, occurred_on = e.occurred_on, quantity = e.quantity, level = e.level, severity = e.severity,
    from_on = e.from_on, sealed = e.sealed, batch_id = e.batch_id, received_at = e.received_at, line = e.line,
    dated_on = e.dated_on,
    until_on = case when r.status = 'repaired' then least(e.until_on, r.until_on) else e.until_on end,
    status = case when e.status = 'revoked' then e.status else r.status end, status_at = $4,
    earlier = nullif(r.earlier - 0, '[]')
from (
  select w.id as which, p.*
  from scoring.record w cross join lateral jsonb_populate_record(null::scoring.record, w.earlier -> 0) p
  where w.source = $1 and w.batch_id = $2 and w.record_subject = any($3::uuid[]) and w.status <> 'revoked'
    and w.earlier is not null
) e
where r.id = e.which
returning r.record_subject
"""

# After the above: what is still of this batch has nothing behind it.
_GONE = """
update scoring.record r set status = 'revoked', status_at = $4
where r.source = $1 and r.batch_id = $2 and r.record_subject = any($3::uuid[]) and r.status <> 'revoked'
returning r.record_subject
"""

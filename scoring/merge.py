"""The merge of a staged batch: set-wise, in one transaction on the *scorer* door, each citizen rescored once.

Within a batch the highest version of a ref wins; against what is stored, only a higher version does, so repeating a
push changes nothing and the order of pushes does not matter. Links are locked in the order of the citizens' ids and the
consent is read after the lock: what was withdrawn meanwhile is dropped. A ref that turns up about another person moves
there, and the first person is rid of it in the same transaction.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, db, ids
from core.audit import Actor
from core.keys import Keyring
from scoring import holders, standing, suspensions, tally
from scoring.holders import Holder
from scoring.rulebook import RuleBook
from scoring.tally import Batch, Sums

CHUNK = 500


async def merge(session: AsyncSession, ring: Keyring, *, pushed: Batch, book: RuleBook, as_of: date) -> int:
    """Merge a batch in the caller's transaction; returns how many citizens' records changed."""
    connection = await db.raw(session)
    sums = Sums(pushed.judged)
    held = await connection.fetch(_HELD, pushed.id)
    moving = pushed.dropped or await connection.fetchval(_CORRECTS, pushed.id)
    await connection.execute(TURN if moving else _TOGETHER, pushed.source)
    await connection.execute(_LOSERS, pushed.id)
    await connection.execute(_TAKEN, pushed.id, pushed.source)
    if pushed.dropped:
        await connection.execute(_GONE, pushed.id, _json(pushed.dropped))
    if moving:
        await holders.unseen(session, _MOVED, pushed.id, pushed.source, _json(pushed.dropped))
    misplaced = await _misplaced(session, ring, pushed) if moving else {}
    staged = await connection.fetch("select distinct citizen_id from scoring.staging where batch_id = $1", pushed.id)
    wanted = iter(sorted({row[0] for row in staged} | set(misplaced)))
    changed = 0
    while some := list(islice(wanted, CHUNK)):
        changed += await _some(
            session, ring, pushed=pushed, book=book, as_of=as_of, some=some, misplaced=misplaced,
            sums=sums,
        )  # fmt: skip
    await connection.execute("delete from scoring.staging where batch_id = $1", pushed.id)
    await tally.keep(session, pushed, sums, {row["kind"]: row["lines"] for row in held}, as_of)
    return changed


async def _some(
    session: AsyncSession,
    ring: Keyring,
    *,
    pushed: Batch,
    book: RuleBook,
    as_of: date,
    some: Sequence[uuid.UUID],
    misplaced: Mapping[uuid.UUID, Sequence[uuid.UUID]],
    sums: Sums,
) -> int:
    """Merge the lines about some citizens, rescore those whose records changed, tell each in the audit log."""
    connection = await db.raw(session)
    locked = await holders.lock(session, ring, citizen_ids=some)
    people = list(locked.values())
    wrong = [record for citizen_id in some for record in misplaced.get(citizen_id, ())]
    rows = await connection.fetch(_REMOVE, wrong) if wrong else []
    subjects = [holder.record_subject for holder in people]
    citizens = [holder.citizen_id for holder in people]
    sensitive = sorted(book.sensitive)
    stored = await connection.fetch(_MERGE, pushed.id, citizens, subjects, clock.civil(), pushed.source, sensitive)
    sums.add(stored)
    rows += stored
    await suspensions.carry(session, record_subjects={row[0] for row in rows}, on=as_of)
    return await settle(
        session, people, rows, source=pushed.source, book=book, as_of=as_of, action="records.write", batch_id=pushed.id
    )


async def settle(
    session: AsyncSession,
    locked: Sequence[Holder],
    changed: Sequence[Any],
    *,
    source: str,
    book: RuleBook,
    as_of: date,
    action: str,
    batch_id: uuid.UUID | None = None,
) -> int:
    """Rescore and inform each locked holder who has a row in `changed` (rows begin with the record subject)."""
    counts: dict[uuid.UUID, int] = {}
    for row in changed:
        counts[row[0]] = counts.get(row[0], 0) + 1
    touched = [holder for holder in locked if holder.record_subject in counts]
    await standing.rescore(session, touched, as_of=as_of, cause=f"{action}:{source}", book=book)
    detail = {} if batch_id is None else {"batch": ids.show("ba", batch_id)}
    await audit.write_each(
        session,
        actor=Actor("source", source),
        action=action,
        purpose="score",
        outcome="done",
        owners={holder.citizen_id: {**detail, "records": counts[holder.record_subject]} for holder in touched},
    )
    return len(touched)


async def _misplaced(session: AsyncSession, ring: Keyring, pushed: Batch) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Per citizen, the records that a higher version in this batch says are about somebody else."""
    connection = await db.raw(session)
    rows = await connection.fetch(_MISPLACED, pushed.id, pushed.source, _json(pushed.dropped))
    behind = await holders.owners(session, ring, record_subjects=list({row["record_subject"] for row in rows}))
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for row in rows:
        if (owner := behind.get(row["record_subject"])) is not None:
            found.setdefault(owner, []).append(row["id"])
    return found


def _json(dropped: Mapping[str, int]) -> str:
    return msgspec.json.encode(dropped).decode()


_HELD = "select kind, count(*) as lines from scoring.staging where batch_id = $1 group by kind"

_CORRECTS = "select exists (select from scoring.staging where batch_id = $1 and version > 1)"

# Pushes that only bring first versions may merge side by side; one that may move a ref waits for its turn.
TURN = "select pg_advisory_xact_lock(hashtextextended('scoring.merge|' || $1::text, 0))"
_TOGETHER = TURN.replace("lock(", "lock_shared(", 1)

# What follows is written so that no choice of the planner can make it quadratic: its figures about a table that fills
# and empties all day are always wrong. Hence rows by ctid, a lookup in one JSON value, and lateral joins that stay.
_LOSERS = """
delete from scoring.staging where ctid = any(array(
  select place_of from (
    select ctid as place_of, row_number() over (partition by ref order by version desc, line) as place
    from scoring.staging where batch_id = $1
  ) w where place > 1
))
"""

# The same ref in the same or a higher version is stored about somebody else: this line comes too late. And the
# other way round: what a higher version moves away from people whose consent has run out, whom this door does not see;
# before it is looked who has such a record and is seen, since who renews meanwhile is.
_TAKEN = "select scoring.drop_taken($1, $2)"
_MOVED = "select scoring.drop_moved($1, $2, $3)"

# A higher version of this batch is about somebody who takes no part.
_GONE = "delete from scoring.staging where batch_id = $1 and version < ($2::jsonb ->> ref)::int"

_MISPLACED = """
with moved as materialized (
  select ref, version, record_subject from scoring.staging where batch_id = $1
  union all
  select key, value::int, null from jsonb_each_text($3::jsonb)
)
select earlier.id, earlier.record_subject
from moved m cross join lateral (
  select r.id, r.record_subject
  from scoring.record r join scoring.live l on l.record_subject = r.record_subject
  where r.source = $2 and r.ref = m.ref and r.version < m.version and r.record_subject is distinct from m.record_subject
  offset 0
) earlier
"""

_REMOVE = "delete from scoring.record where id = any($1::uuid[]) returning record_subject"

# What an earlier version of the same kind said is kept, should this batch be withdrawn (`feeds.withdrawing`).
# Hidden stays hidden, a disputed deduction disputed, a repaired one repaired and over; a higher version brings anything
# else back to active.
_MERGE = """
with allowed as materialized (
  select a.citizen_id, a.record_subject
  from unnest($2::uuid[], $3::uuid[]) as a (citizen_id, record_subject)
  join scoring.live l on l.record_subject = a.record_subject and l.until > (select core.civil_now())
  join auth.source_subject n on n.source = $5 and n.citizen_id = a.citizen_id
  join auth.live_consent c on c.id = n.consent_id
  left join auth.consent_source_end e on e.consent_id = n.consent_id and e.source = n.source
  where e.consent_id is null
)
insert into scoring.record as r (
  record_subject, id, source, ref, version, kind, provider, occurred_on, quantity, level, severity, from_on, until_on,
  sealed, status, status_at, batch_id, received_at, line, dated_on
)
select s.record_subject, s.id, s.source, s.ref, s.version, s.kind, s.provider, s.occurred_on, s.quantity, s.level,
       s.severity, s.from_on, s.until_on, s.sealed, 'active', $4, s.batch_id, $4, s.line, s.dated_on
from allowed a
cross join lateral (
  select * from scoring.staging
  where batch_id = $1 and citizen_id = a.citizen_id and record_subject = a.record_subject offset 0
) s
left join scoring.refusal f on f.citizen_id = s.citizen_id and f.kind = s.kind
where f.kind is null and (s.kind <> all($6::text[]) or exists (
  select from auth.live_consent v where v.citizen_id = a.citizen_id and v.purpose = 'sensitive:' || s.kind
))
on conflict (record_subject, source, ref) do update
set version = excluded.version, kind = excluded.kind, provider = excluded.provider,
    occurred_on = excluded.occurred_on, quantity = excluded.quantity, level = excluded.level,
    severity = excluded.severity, from_on = excluded.from_on, sealed = excluded.sealed,
    until_on = case when r.status = 'repaired' and r.kind = excluded.kind
      then least(excluded.until_on, r.until_on) else excluded.until_on end,
    status = case when r.status in ('hidden', 'repaired') and r.kind = excluded.kind then r.status
      when r.status = 'disputed' and excluded.kind like 'N%' then 'disputed' else 'active' end,
    status_at = excluded.status_at, batch_id = excluded.batch_id, received_at = excluded.received_at,
    line = excluded.line, dated_on = excluded.dated_on,
    earlier = case when r.kind = excluded.kind then jsonb_path_query_array(
      jsonb_build_array(to_jsonb(r) - array['id', 'record_subject', 'source', 'ref', 'earlier'])
        || coalesce(r.earlier, '[]'), '$[0 to 3]') end
where excluded.version > r.version
returning r.record_subject, r.kind, r.level, r.quantity, r.dated_on, r.xmax = 0 as fresh
"""

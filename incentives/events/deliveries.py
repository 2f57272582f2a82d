"""The rows of one delivery: begun, ended, and what follows. On the jobs door; its caller commits.

Promises: a delivery that ended is never begun again; a start is counted before anything is sent, and the third that did
not end parks it; the next attempt is put in the transaction that stores the last. Does not promise one request: who is
killed after it was sent sends it once more.
"""

import uuid
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import ids, later
from incentives.events.course import STARTS, Reply, Step

TASK = "webhook"
TEST = "webhook.test"


class Due(msgspec.Struct, frozen=True):
    """A delivery to be made now: where to, what, and which generation of secrets signs."""

    delivery_id: uuid.UUID
    webhook_id: uuid.UUID
    partner_id: str
    url: str
    serial: int
    old_until: datetime | None
    event_id: uuid.UUID
    kind: str
    at: datetime
    data: str
    course: int
    attempts: int


class Found(msgspec.Struct, frozen=True):
    """A delivery that waits, before it is begun."""

    webhook_id: uuid.UUID
    failing: bool
    wait: timedelta


async def find(session: AsyncSession, delivery_id: uuid.UUID) -> Found | None:
    """Where it goes and whether that is to be left in peace; None when there is nothing to be done for now."""
    row = (await session.execute(text(_FIND), {"id": delivery_id})).one_or_none()
    return None if row is None else Found(row.webhook_id, row.failing, row.wait)


async def begin(session: AsyncSession, delivery_id: uuid.UUID) -> Due | None:
    """Count a start; None when it ended meanwhile, is not due, or was parked or disabled just now."""
    row = (await session.execute(text(_BEGIN), {"id": delivery_id})).mappings().one_or_none()
    if row is None:
        return None
    if row["disabled"]:
        await _end(session, delivery_id, "disabled")
        return None
    due = Due(*(row[name] for name in Due.__struct_fields__))
    if row["starts"] >= STARTS:
        await _end(session, delivery_id, "parked")
        await _tell(session, due, "webhook.parked")
        return None
    await session.execute(
        text("update incentives.delivery set starts = starts + 1 where id = :id"), {"id": delivery_id}
    )
    return due


async def end(session: AsyncSession, due: Due, said: Reply, step: Step, *, millis: int) -> bool:
    """Store an attempt and what follows; False when another worker did before."""
    given = {
        "id": due.delivery_id, "course": due.course, "attempts": due.attempts, "state": step.state, "after": step.after,
        "status": said.status, "outcome": said.outcome, "millis": millis,
    }  # fmt: skip
    if (await session.execute(text(_STORE), given)).first() is None:
        return False
    if step.state == "waiting":
        await put(session, due.delivery_id, due.course, due.attempts + 1, after=step.after)
    if step.state == "exhausted":
        await _tell(session, due, "webhook.exhausted")
    if step.state == "disabled":
        await _tell(session, due, "webhook.disabled")
    marked = {
        "webhook": due.webhook_id, "well": step.state == "delivered", "gone": step.state == "disabled",
        "again": step.state == "delivered" and due.kind == TEST, "pause": step.pause,
    }  # fmt: skip
    await session.execute(text(_MARK), marked)
    return True


async def put(
    session: AsyncSession, delivery_id: uuid.UUID, course: int, attempts: int, *, after: timedelta = timedelta(0)
) -> None:
    """Have the attempt after `attempts` of a course made."""
    await later.put(session, task=TASK, payload=str(delivery_id), key=f"{delivery_id}/{course}/{attempts}", after=after)


async def mend(session: AsyncSession, *, most: int = 500) -> int:
    """Put what waits although nobody does it: after a restore, say. Returns how many."""
    rows = (await session.execute(text(_FORGOTTEN), {"most": most})).all()
    for row in rows:
        await put(session, row.id, row.course, row.attempts)
    return len(rows)


async def renumber(session: AsyncSession) -> None:
    """After a restore into another cluster, whose transactions count from below: order what is there by position alone.

    Otherwise it would not show until the new numbers have caught up. Run behind all doors.
    """
    await session.execute(text(_RENUMBER))


async def sweep(session: AsyncSession) -> None:
    """Forget events of more than 45 days, with their deliveries, and what the queue wrote of itself."""
    await session.execute(text("delete from incentives.event where at < now() - interval '45 days'"))
    await session.execute(text("delete from jobs.pgqueuer_log where created < now() - interval '1 day'"))


async def _end(session: AsyncSession, delivery_id: uuid.UUID, state: str) -> None:
    query = "update incentives.delivery set state = :state, changed_at = now() where id = :id"
    await session.execute(text(query), {"id": delivery_id, "state": state})


async def _tell(session: AsyncSession, due: Due, kind: str) -> None:
    """Say in the partner's list what became of a delivery; no webhook is told of webhooks."""
    shown = ids.show("wh", due.webhook_id)
    given = {
        "webhook": due.webhook_id, "partner": due.partner_id, "kind": kind, "shown": shown,
        "data": msgspec.json.encode(
            {"webhook_id": shown, "event_id": ids.show("ev", due.event_id), "event_type": due.kind}
        ).decode(),
    }  # fmt: skip
    await session.execute(text(_TELL), given)


_FIND = """
select d.webhook_id, w.failing_since is not null as failing,
  greatest(coalesce(w.paused_until, now()) - now(), interval '0') as wait
from incentives.delivery d join incentives.webhook w on w.id = d.webhook_id
where d.id = :id and d.state = 'waiting' and d.next_at <= now()
"""

_BEGIN = """
select d.id as delivery_id, d.webhook_id, w.partner_id, w.url, w.serial, w.old_until, d.event_id, e.type as kind, e.at,
  e.data::text as data, d.course, d.attempts, d.starts,
  w.disabled_at is not null and e.type <> 'webhook.test' as disabled
from incentives.delivery d join incentives.webhook w on w.id = d.webhook_id join incentives.event e on e.id = d.event_id
where d.id = :id and d.state = 'waiting' and d.next_at <= now()
for update of d
"""

_STORE = """
with done as (
  update incentives.delivery set state = :state, attempts = attempts + 1, tried = tried + 1, starts = 0,
    next_at = now() + cast(:after as interval), changed_at = now()
  where id = :id and state = 'waiting' and course = :course and attempts = :attempts
  returning id, tried
)
insert into incentives.delivery_attempt (delivery_id, number, at, status, outcome, millis)
select done.id, done.tried, now(), cast(:status as smallint), :outcome, cast(:millis as integer) from done
returning number
"""

_MARK = """
update incentives.webhook set
  failing_since = case when :well then null else coalesce(failing_since, now()) end,
  disabled_at = case when :gone then coalesce(disabled_at, now()) when :again then null else disabled_at end,
  paused_until = case when cast(:pause as interval) > interval '0' then now() + cast(:pause as interval)
    when :well then null else paused_until end
where id = :webhook and (
  :gone or cast(:pause as interval) > interval '0' or :again and disabled_at is not null
  or :well <> (failing_since is null) or :well and paused_until is not null)
"""

_TELL = """
with counted as (update incentives.webhook set seq = seq + 1 where id = :webhook returning seq)
select incentives.emit(:partner, :kind, :shown, counted.seq, cast(:data as jsonb)) from counted
"""

_RENUMBER = """
update incentives.event set turn = 0
where exists (select from incentives.event where turn >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
"""

_FORGOTTEN = """
select d.id, d.course, d.attempts from incentives.delivery d
where d.state = 'waiting' and d.next_at < now() - interval '2 minutes' and not exists (
  select from jobs.pgqueuer q where q.dedupe_key = d.id || '/' || d.course || '/' || d.attempts
    and q.status in ('queued', 'picked'))
order by d.next_at limit :most
"""

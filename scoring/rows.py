"""The plain rows under a standing, read and written for many citizens at once.

Every read joins what says that the consent lives: `scoring.live` for records, `auth.live_consent` for standings.
"""

import uuid
from collections.abc import Iterable
from datetime import date, datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from core import db, ids
from scoring.points.facts import RecordRow

_RECORD = "rc"


class Standing(msgspec.Struct, frozen=True):
    """What is stored of an evaluation: `points` in tenths, `tier` as shown, `scorecard` the digest it was made by."""

    citizen_id: uuid.UUID
    consent_id: uuid.UUID
    scorecard: str
    points: int
    tier: str
    held: bool
    as_of: date
    computed_at: datetime


# What points are counted on, one row per record or per interval of it, of the subjects $1: read by both evaluators. A
# deduction that was suspended counts in what its suspensions leave of its interval, and a repaired one until the day of
# its repair, so past days stay as they were. The subjects asked for lead, each with its own few records, whatever the
# planner takes the tables for.
COUNTED = """
select r.record_subject, r.id, r.kind, r.provider, r.occurred_on, r.quantity, r.level, r.severity, r.from_on,
       r.until_on, 'active' as status
from unnest($1::uuid[]) as asked (subject)
join scoring.live l on l.record_subject = asked.subject and l.until > (select core.civil_now())
cross join lateral (select * from scoring.record where record_subject = l.record_subject offset 0) r
where r.status in ('active', 'repaired')
  and (r.from_on is null or not exists (select from scoring.suspension s where s.record_id = r.id))
union all
select r.record_subject, r.id, r.kind, r.provider, r.occurred_on, r.quantity, r.level, r.severity, lower(span),
       upper(span), 'active'
from unnest($1::uuid[]) as asked (subject)
join scoring.live l on l.record_subject = asked.subject and l.until > (select core.civil_now())
cross join lateral (
  select * from scoring.record where record_subject = l.record_subject and from_on is not null offset 0
) r
cross join lateral (
  select range_agg(daterange(from_on, until_on)) as gone from scoring.suspension where record_id = r.id
) s
cross join lateral unnest(datemultirange(
  case when r.until_on <= r.from_on then 'empty' else daterange(r.from_on, r.until_on) end
) - s.gone) as span
where r.status in ('active', 'disputed', 'repaired') and s.gone is not null
"""


async def records(session: AsyncSession, subjects: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[RecordRow]]:
    """The active records under each subject, with the ids that their citizens see."""
    connection = await db.raw(session)
    found: dict[uuid.UUID, list[RecordRow]] = {}
    for subject, identity, *columns in await connection.fetch(COUNTED, list(subjects)):
        found.setdefault(subject, []).append(RecordRow(ids.show(_RECORD, identity), *columns))
    return found


async def stored(session: AsyncSession, citizen_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Standing]:
    """The stored standings under a consent that lives."""
    connection = await db.raw(session)
    rows = await connection.fetch(
        "select s.citizen_id, s.consent_id, s.scorecard, s.points, s.tier, s.held, s.as_of, s.computed_at "
        "from scoring.standing s join auth.live_consent c on c.id = s.consent_id "
        "where s.citizen_id = any($1::uuid[])",
        list(citizen_ids),
    )
    return {row["citizen_id"]: Standing(*row) for row in rows}


_WRITE = """
insert into scoring.standing (citizen_id, consent_id, scorecard, points, tier, held, as_of, computed_at)
select * from unnest(
  $1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::bool[], $7::date[], $8::timestamptz[]
)
on conflict (citizen_id) do update
set consent_id = excluded.consent_id, scorecard = excluded.scorecard, points = excluded.points, tier = excluded.tier,
    held = excluded.held, as_of = excluded.as_of, computed_at = excluded.computed_at
"""


async def write(session: AsyncSession, standings: list[Standing]) -> None:
    """Store standings, in place of older ones."""
    if standings:
        connection = await db.raw(session)
        await connection.execute(_WRITE, *map(list, zip(*map(msgspec.structs.astuple, standings), strict=True)))

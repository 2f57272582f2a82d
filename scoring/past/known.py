"""A citizen's records as they were known at a moment, and with their status of then.

What a record says of its own past is when it was received and when its status last changed; a deduction has the
interval in which it counts besides. An older version of a record, or a status before the last one, is not kept: whoever
needs to be sure compares with the trace stored then (`scoring.past.days`).
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import subjects
from core import db, ids
from scoring.holders import Holder
from scoring.points.facts import RecordRow
from scoring.rulebook import RuleBook


class Known(msgspec.Struct, frozen=True):
    """One record's plain columns as they stand now, when it was received, and since when its status holds."""

    row: RecordRow
    received_at: datetime
    status_at: datetime


async def of(session: AsyncSession, holder: Holder, *, book: RuleBook) -> list[Known]:
    """Every record under a holder's subject, whatever its status; none of a sensitive kind whose consent is over."""
    connection = await db.raw(session)
    rows = await connection.fetch(_EVERY, holder.record_subject)
    found = [Known(RecordRow(ids.show("rc", row[0]), *row[1:10]), row[10], row[11]) for row in rows]
    closed = await barred(session, holder, book=book)
    return [one for one in found if one.row.kind not in closed]


async def barred(session: AsyncSession, holder: Holder, *, book: RuleBook) -> frozenset[str]:
    """The sensitive kinds that a holder's consents do not allow (PIPL article 29)."""
    if not book.sensitive:
        return frozenset()
    allowed = await subjects.sensitive(session, citizen_ids=[holder.citizen_id])
    return book.sensitive - allowed.get(holder.citizen_id, frozenset())


def at(records: Iterable[Known], moment: datetime) -> list[RecordRow]:
    """Those received by a moment, with the status of then as far as it is known; what came later is left out."""
    return [_then(one, moment) for one in records if one.received_at <= moment]


def _then(one: Known, moment: datetime) -> RecordRow:
    """A record whose status changed later was active before."""
    return one.row if one.status_at <= moment else msgspec.structs.replace(one.row, status="active")


# A deduction that was suspended comes once per interval that its suspensions left; where they left none, with an empty
# one, so that its citizen can still name it.
_EVERY = """
select r.id, r.kind, r.provider, r.occurred_on, r.quantity, r.level, r.severity,
       case when span is null then r.from_on else lower(span) end,
       case when s.gone is null then r.until_on when span is null then r.from_on else upper(span) end,
       case when s.gone is not null and r.status = 'disputed' then 'active' else r.status end,
       r.received_at, r.status_at
from scoring.record r
join scoring.live l on l.record_subject = r.record_subject and l.until > (select core.civil_now())
left join lateral (
  select range_agg(daterange(from_on, until_on)) as gone from scoring.suspension where record_id = r.id
) s on r.from_on is not null
left join lateral unnest(case when s.gone is not null then datemultirange(
  case when r.until_on <= r.from_on then 'empty' else daterange(r.from_on, r.until_on) end
) - s.gone end) as span on true
where r.record_subject = $1
"""

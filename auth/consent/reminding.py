"""Reminders before a consent ends: 30, 7 and 1 days, by the civil calendar, each once.

Only the nearest day is told: whoever agreed for a week hears on the last day but one, and a job that slept for a month
does not tell three things at once. What is written is an event of the consent; its citizen reads it.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import events
from auth.consent.events import BY_CLOCK
from core import clock

DAYS = (30, 7, 1)

# `left`: the days after today on which the consent still lives. Told only what was still ahead when it was given.
_DUE = """
with near as (
  select id, citizen_id, purpose, given_at, expires_at,
    (expires_at at time zone 'Asia/Shanghai')::date - 1 - :today as left
  from auth.live_consent where not one_use and expires_at < core.civil_now() + interval '32 days'
), nearest as (
  select near.*, (select min(d) from unnest(cast(:days as int[])) d where near.left <= d) as days from near
)
select n.id, n.citizen_id, n.purpose, n.days from nearest n
where n.days is not null and n.given_at < n.expires_at - make_interval(days => n.days)
  and not exists (
    select from auth.consent_event e where e.consent_id = n.id and e.state = 'reminded' and e.about = n.days::text
  )
order by n.expires_at limit :most
"""


async def remind(session: AsyncSession, *, limit: int) -> int:
    """Write the reminders that are due, at most `limit`; returns how many."""
    due = await session.execute(text(_DUE), {"today": clock.today(), "days": list(DAYS), "most": limit})
    sent = 0
    for row in due.all():
        event = events.new(
            row.citizen_id, row.purpose, "reminded", at=clock.civil(), act=BY_CLOCK, consent_id=row.id,
            about=str(row.days),
        )  # fmt: skip
        sent += await events.append(session, event)
    return sent

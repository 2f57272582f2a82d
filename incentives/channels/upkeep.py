"""Rounds over orders at channels: which perks have one, what was forgotten, what a person must look at."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core import later
from incentives.channels.account import Account
from incentives.channels.rows import TASK


async def guarantee(session: AsyncSession, accounts: Sequence[Account]) -> None:
    """Have these accounts, and no others, guarantee orders that are opened from now on."""
    told = [{"partner": one.partner, "perk": one.perk, "channel": one.channel} for one in accounts]
    await session.execute(
        text("delete from incentives.guarantor where (partner_id, perk_id) <> all (select * from unnest("
             "cast(:partners as text[]), cast(:perks as text[])))"),
        {"partners": [one.partner for one in accounts], "perks": [one.perk for one in accounts]},
    )  # fmt: skip
    for one in told:
        await session.execute(text(_SET), one)


async def mend(session: AsyncSession, *, most: int = 500) -> int:
    """Put what is due although nobody does it: after a crash, say. Returns how many."""
    found = (await session.execute(text(_FORGOTTEN), {"most": most})).all()
    for one in found:
        key = f"channel/{one.order_id}/m{one.looks}"
        await later.put(session, task=TASK, payload=str(one.order_id), key=key)
    return len(found)


async def sweep(session: AsyncSession) -> None:
    """Forget calls of half a year ago about orders of which nothing is waited for."""
    await session.execute(text(_SWEEP))


async def parked(session: AsyncSession) -> int:
    """How many orders at channels a person must look at."""
    query = text("select count(*) from incentives.channel_order where parked is not null")
    return int(await session.scalar(query) or 0)


_SET = """
insert into incentives.guarantor (partner_id, perk_id, channel) values (:partner, :perk, :channel)
on conflict (partner_id, perk_id) do update set channel = excluded.channel
"""

_FORGOTTEN = """
select c.order_id, c.looks from incentives.channel_order c
where c.next_at < now() - interval '5 seconds' and (c.busy_until is null or c.busy_until < now()) and not exists (
  select from jobs.pgqueuer q where q.entrypoint = 'channel' and q.status in ('queued', 'picked')
    and q.execute_after <= now() and q.payload = convert_to(c.order_id::text, 'UTF8'))
order by c.next_at limit :most
"""

_SWEEP = """
delete from incentives.channel_call k using incentives.channel_order c
where c.order_id = k.order_id and c.next_at is null and k.asked_at < now() - interval '180 days'
"""

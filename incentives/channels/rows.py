"""The rows of orders at channels: taken by one at a time, what was found, what is asked. On the jobs door.

Promises: a call has its row, with its own number, before it is sent; who takes an order has it for a minute alone, and
what happens on our side meanwhile wakes it once more. Its caller commits. Protocol time is the wall's.
"""

import uuid
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import later
from incentives.channels.course import Channel, Known, Ours, Stage

TASK = "channel"
BUSY = timedelta(seconds=60)


class Row(msgspec.Struct, frozen=True):
    """An order at its channel, as the last look left it."""

    order_id: uuid.UUID
    partner_id: str
    perk_id: str
    channel: Channel
    number: str
    amount: int
    stage: Stage
    held: int
    fund: int
    charged: int
    paid: int
    elsewhere: bool
    recorded: int
    turn: int
    theirs: str
    trade: str
    launch: str | None
    wakes: int
    tries: int
    idle: int
    looks: int
    parked: str | None

    @property
    def known(self) -> Known:
        """What the last look found."""
        return Known(self.stage, self.held, self.fund, self.charged, self.paid, self.elsewhere)


class Standing(msgspec.Struct, frozen=True):
    """How our order stands, and what a call says of it."""

    ours: Ours
    out_order_no: str
    start_by: datetime
    planned_end: datetime | None
    returned_at: datetime | None


class Asked(msgspec.Struct, frozen=True):
    """A call that was stored: its number, and when it was asked first, which every repeat says again."""

    request: str
    verb: str
    amount: int
    state: str
    times: int
    asked_at: datetime


class Ending(msgspec.Struct, frozen=True):
    """How a look ended: when to look again, if at all; how many answers in a row were none; why a person must look."""

    after: timedelta | None
    tries: int = 0
    idle: int = 0
    parked: str | None = None


async def take(session: AsyncSession, order_id: uuid.UUID) -> Row | None:
    """The order for a minute; None when nothing is due, or somebody has it."""
    found = (await session.execute(text(_TAKE), {"id": order_id, "busy": BUSY})).mappings().one_or_none()
    return None if found is None else _row(found)


def _row(found: RowMapping) -> Row:
    return Row(**{name: found[name] for name in Row.__struct_fields__})


async def standing(session: AsyncSession, row: Row) -> Standing:
    """How our order stands now."""
    found = (await session.execute(text("select * from incentives.order_at_channel(:id)"), {"id": row.order_id})).one()
    ours = Ours(found.status, found.rest, found.paid, row.recorded)
    return Standing(ours, found.out_order_no, found.start_by, found.planned_end, found.returned_at)


async def calls(session: AsyncSession, row: Row) -> dict[str, Asked]:
    """Every call about the order so far, by its number."""
    query = "select request, verb, amount, state, times, asked_at from incentives.channel_call where order_id = :id"
    return {one.request: Asked(*one) for one in await session.execute(text(query), {"id": row.order_id})}


async def found(session: AsyncSession, row: Row, known: Known, *, theirs: str, trade: str, turn: int) -> Row:
    """Store what a query found; every call that waited for it is known now."""
    given = {"id": row.order_id, **msgspec.structs.asdict(known), "theirs": theirs, "trade": trade, "turn": turn}
    now = (await session.execute(text(_FOUND), given)).mappings().one()
    await session.execute(text(_TOLD), {"id": row.order_id})
    return _row(now)


async def record(session: AsyncSession, row: Row) -> bool:
    """Note on our order what the channel took, once; False when it is not asked for now."""
    query = text("select incentives.pay_by_channel(:id)")
    return bool(await session.scalar(query, {"id": row.order_id}))


async def ask(session: AsyncSession, row: Row, *, request: str, verb: str, amount: int) -> Asked:
    """Store a call before it is sent; the same number again is a repeat, of a call that a query did not find."""
    given = {"id": row.order_id, "request": request, "verb": verb, "amount": amount}
    return Asked(*(await session.execute(text(_ASK), given)).one())


async def answered(session: AsyncSession, row: Row, request: str, *, outcome: str, said: str, digest: bytes) -> None:
    """Store what came of a call; what is not sure, a query will tell."""
    state = "unknown" if outcome == "unknown" else "known"
    given = {"id": row.order_id, "request": request, "state": state, "outcome": outcome, "said": said, "digest": digest}
    await session.execute(text(_ANSWERED), given)


async def launched(session: AsyncSession, row: Row, launch: str) -> None:
    """Store with what the payer's telephone goes on."""
    query = text("update incentives.channel_order set launch = :launch where order_id = :id")
    await session.execute(query, {"id": row.order_id, "launch": launch})


async def finish(session: AsyncSession, row: Row, ending: Ending) -> None:
    """Give the order back and have it looked at again in time; at once, if something happened meanwhile."""
    given = {"id": row.order_id, "wakes": row.wakes, **msgspec.structs.asdict(ending)}
    left = (await session.execute(text(_FINISH), given)).one()
    if left.wait is not None:
        key = f"channel/{row.order_id}/l{left.looks}"
        await later.put(session, task=TASK, payload=str(row.order_id), key=key, after=max(left.wait, timedelta(0)))


_TAKE = """
update incentives.channel_order set busy_until = now() + cast(:busy as interval)
where order_id = :id and next_at <= now() and (busy_until is null or busy_until < now())
returning *
"""

_FOUND = """
update incentives.channel_order set stage = :stage, held = :held, fund = :fund, charged = :charged, paid = :paid,
  elsewhere = :elsewhere or elsewhere, theirs = coalesce(nullif(:theirs, ''), theirs), trade = :trade, turn = :turn,
  launch = case when :stage in ('none', 'to_confirm') then launch end
where order_id = :id
returning *
"""

_TOLD = """
update incentives.channel_call set state = 'known', known_at = now()
where order_id = :id and state <> 'known'
"""

_ASK = """
insert into incentives.channel_call as c (order_id, request, verb, amount, state, times, asked_at)
values (:id, :request, :verb, :amount, 'asked', 1, date_trunc('second', now()))
on conflict (order_id, request) do update set state = 'asked', times = least(c.times + 1, 30000), known_at = null,
  amount = excluded.amount
returning request, verb, amount, state, times, asked_at
"""

_ANSWERED = """
update incentives.channel_call set state = :state, outcome = :outcome, said = :said, digest = :digest,
  known_at = case when :state = 'known' then now() end
where order_id = :id and request = :request
"""

_FINISH = """
update incentives.channel_order set busy_until = null, looks = looks + 1, tries = :tries, idle = :idle,
  parked = :parked,
  next_at = case when wakes > :wakes then now() when cast(:after as interval) is not null
    then now() + cast(:after as interval) end
where order_id = :id
returning looks, next_at - now() as wait
"""

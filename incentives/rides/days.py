"""What a citizen sees of their rides: of each perk, operator and day how many there were and what came off.

Nothing says where or when within the day; it is not kept. A day is kept for 180 days, and goes when the citizen leaves.
"""

import uuid
from datetime import date

import msgspec
from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from incentives.rides.tables import ride_day


class Ridden(msgspec.Struct, frozen=True):
    """A day with a partner: `discount` in fen; `doubled`: rides by a code that had been used before."""

    day: date
    partner: str
    perk: str
    rides: int
    discount: int
    doubled: int


Place = tuple[date, str, str]


async def mine(
    session: AsyncSession, *, citizen_id: uuid.UUID, before: Place | None = None, most: int | None = None
) -> list[Ridden]:
    """The citizen's days, newest first; the next page is before the last one's day, partner and perk."""
    order = (ride_day.c.day, ride_day.c.partner_id, ride_day.c.perk_id)
    columns = (*order, ride_day.c.rides, ride_day.c.discount, ride_day.c.doubled)
    query = select(*columns).where(ride_day.c.citizen_id == citizen_id)
    if before is not None:
        query = query.where(tuple_(*order) < before)
    rows = await session.execute(query.order_by(*(one.desc() for one in order)).limit(most))
    return [Ridden(*row) for row in rows]


async def forget(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """Delete every day of a citizen who leaves."""
    await session.execute(delete(ride_day).where(ride_day.c.citizen_id == citizen_id))

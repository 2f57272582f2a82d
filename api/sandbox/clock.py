"""`/v1/sandbox/clock`: the civil clock, which a sandbox moves forwards, for every partner of it at once.

Protocol time stands: tokens, proofs, codes, signatures and retries live as long as always. Windows, consents and the
clocks of orders go by the civil clock; what a move makes due is done before the answer.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
import structlog
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType
from sqlalchemy import select

from api.deps import House
from api.guards import Client, invalid_token
from api.sandbox.door import behind
from api.worker import jobs
from core import clock, ids, pgerrors
from core.errors import FieldError, Invalid, Unavailable
from core.tables import civil_offset
from incentives.orders import rounds

FARTHEST = timedelta(days=3660)
_EVERY_SECONDS = 1
_ADVANCE = "select * from sandbox.advance($1, $2, $3)"
_log = structlog.get_logger("osmanthus.sandbox")


class Clock(msgspec.Struct, frozen=True):
    """The two clocks; `advanced` is what lies between them (ISO 8601 duration)."""

    civil: datetime
    wall: datetime
    advanced: timedelta


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far: `advance` as an ISO 8601 duration of days, hours, minutes and seconds (`P30D`), or whole `days`."""

    advance: Annotated[str, Meta(max_length=32)] | UnsetType = UNSET
    days: Annotated[int, Meta(ge=1, le=366)] | UnsetType = UNSET


@get("/v1/sandbox/clock", summary="The civil clock and the wall clock")
async def see(house: NamedDependency[House]) -> Clock:
    """Both clocks, as every process of this sandbox reads them."""
    return _clock(await stored(house))


@post("/v1/sandbox/clock", status_code=200, summary="Move the civil clock forwards")
async def advance(data: JSONBody[Advance], house: NamedDependency[House], caller: NamedDependency[Client]) -> Clock:
    """Move the civil clock for everybody here, and do what it makes due. It never goes back."""
    by = _duration(data)
    if await stored(house) + by > FARTHEST:
        raise _out_of_range("A sandbox goes at most ten years ahead; make a new one.")
    pool = await house.doors.pool()
    row = await pool.fetchrow(_ADVANCE, caller.jti_hash, by, ids.new())
    if row is None:
        raise invalid_token()
    clock.move(row["moved"])
    await rounds.keep(house.doors)
    await jobs.once(house, clock.today())
    return _clock(row["moved"])


async def stored(house: House) -> timedelta:
    """How far the database's civil clock was moved."""
    async with house.doors.claims("auth") as session:
        return await session.scalar(select(civil_offset.c.moved)) or timedelta(0)


async def follow(house: House) -> None:
    """Keep this process's civil clock where the others have moved it, until cancelled."""
    while True:
        try:
            if (moved := await stored(house)) != clock.offset():
                clock.move(moved)
        except Exception as error:
            if not (isinstance(error, Unavailable) or pgerrors.is_unavailable(error)):
                raise
            _log.warning("waiting", kind=type(error).__name__)
        await asyncio.sleep(_EVERY_SECONDS)


def _clock(moved: timedelta) -> Clock:
    wall = clock.wall()
    return Clock(wall + moved, wall, moved)


def _duration(data: Advance) -> timedelta:
    """The one duration that was sent, 1 s to 366 days. Raises Invalid."""
    if (data.advance is UNSET) == (data.days is UNSET):
        raise Invalid(errors=[FieldError("/advance", "one_of", "Send either advance or days.")])
    if data.days is not UNSET:
        return timedelta(days=data.days)
    try:
        by = msgspec.convert(data.advance, timedelta)
    except msgspec.ValidationError:
        raise _out_of_range("Send a duration such as P30D, PT72H or P1DT12H.") from None
    if not timedelta(seconds=1) <= by <= timedelta(days=366):
        raise _out_of_range("Move forwards, 1 second to 366 days at a time.")
    return by


def _out_of_range(advice: str) -> Invalid:
    return Invalid(errors=[FieldError("/advance", "out_of_range", advice)])


handlers = [behind([see, advance])]

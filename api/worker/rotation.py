"""Key epochs in their turn: begin one, move everything to it, destroy the one before.

Promises: each step may be cut anywhere and done again, by several processes at once; nothing is moved before every
process had time to hear of the new epoch. What a person erased is unreadable in every copy within
`Settings.forgotten_within_days`. Does not promise that copies of the epochs file go: docs/keys.md.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from api.deps import House
from auth import reindex
from core import audit, clock, epochs, rotation
from core.audit import Actor
from core.keys import Keyring
from core.rotation import EpochInUse
from scoring import holders

JOBS = Actor("system", "jobs")
_BATCH = 2000
# A process hears of an epoch within a second (core.epochs); until then it searches indexes by the older ones alone.
_HEARD = timedelta(seconds=3)
_log = structlog.get_logger("osmanthus.rotation")


class Mover(Protocol):
    """Moves up to `limit` rows of one kind to the current epoch, on the jobs door; returns how many."""

    def __call__(self, session: AsyncSession, ring: Keyring, *, limit: int) -> Awaitable[int]:
        """Move."""
        ...


MOVERS: dict[str, Mover] = {
    "personal keys": rotation.rewrap,
    "threads": holders.reseal,
    "indexes of ID numbers": reindex.citizens_by_number,
    "indexes of accounts": reindex.accounts_by_name,
}


async def begin(house: House, *, by: Actor) -> int:
    """Begin the next epoch; returns its number."""
    async with house.doors.work("jobs") as session:
        number = await rotation.announce(session, house.ring, by=by)
    await asyncio.to_thread(epochs.add, house.ring.file, number)
    house.ring.look()
    return number


async def level(house: House, *, by: Actor, tell: Callable[[str, int], None] | None = None) -> dict[str, int]:
    """Move everything to the current epoch, in a transaction a batch; returns how many rows of each kind moved.

    `tell` hears the kind and the rows moved so far.
    """
    began = house.ring.began
    if began is not None and (wait := _HEARD - (clock.wall() - began)) > timedelta(0):
        await asyncio.sleep(wait.total_seconds())
    moved = dict.fromkeys(MOVERS, 0)
    for kind, move in MOVERS.items():
        while True:
            async with house.doors.work("jobs") as session:
                some = await move(session, house.ring, limit=_BATCH)
            if not some:
                break
            moved[kind] += some
            if tell is not None:
                tell(kind, sum(moved.values()))
    if any(moved.values()):
        detail = {"epoch": house.ring.epoch, "moved": moved}
        async with house.doors.work("jobs") as session:
            await audit.write(session, actor=by, action="epoch.level", purpose="keys", outcome="done", detail=detail)
    return moved


async def destroy(house: House, number: int, *, by: Actor) -> None:
    """Destroy an older epoch. Raises NotFound, EpochYoung, EpochInUse."""
    grace = timedelta(days=house.settings.epoch_grace_days)
    async with house.doors.work("jobs") as session:
        await rotation.destroy(session, house.ring, number=number, grace=grace, by=by)
    house.ring.look()


async def turn(house: House) -> None:
    """One round of the jobs: begin an epoch when it is time, move what is left, destroy what may go."""
    now, settings = clock.wall(), house.settings
    async with house.doors.work("jobs") as session:
        lives = await rotation.living(session)
    current = next((one for one in lives if one.number == house.ring.epoch), None)
    if current is None or not settings.epoch_days:
        return
    if current.began_at + timedelta(days=settings.epoch_days) <= now:
        _log.info("epoch begun", epoch=await begin(house, by=JOBS))
        return  # the next round moves what hangs on the older ones; by then every process has heard
    older = [one for one in lives if one.number < current.number]
    if not older:
        return
    await level(house, by=JOBS)
    if current.began_at + timedelta(days=settings.epoch_grace_days) <= now:
        for one in older:
            await _end(house, one.number)


async def _end(house: House, number: int) -> None:
    """Destroy an epoch, or say why it stays."""
    try:
        await destroy(house, number, by=JOBS)
    except EpochInUse as error:
        _log.warning("epoch stays", epoch=number, why=error.detail)
    else:
        _log.info("epoch destroyed", epoch=number)

"""`osmanthus keys`: what the operator does with the epoch keys by hand; docs/keys.md is the runbook."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from api import app
from api.deps import House
from api.tool.progress import Bar
from api.worker import keydump, rotation
from core import rotation as record
from core import settings
from core.audit import Actor

BY = Actor("system", "operator")


@asynccontextmanager
async def at_home() -> AsyncGenerator[House]:
    """A house of the environment's settings for the length of a block."""
    house = app.make_house(settings.read())
    await app.read_civil_offset(house)
    try:
        yield house
    finally:
        await house.short.close()
        await house.doors.close()


async def show() -> None:
    """Print which epochs live, what hangs on each, which were destroyed, and what that promises."""
    async with at_home() as house, house.doors.work("jobs") as session:
        lives, hanging = await record.living(session), await record.hanging(session)
        for one in lives:
            rows = ", ".join(f"{count[one.number]} of {tab}" for tab, count in hanging.items() if one.number in count)
            state = "current" if one.number == house.ring.epoch else "older"
            if one.number not in house.ring.epochs:
                state = "NOT IN THE FILE"
            print(f"epoch {one.number}  since {one.began_at:%Y-%m-%d %H:%M} UTC  {state}  {rows or 'nothing'}")
        for gone in await record.destroyed(session):
            print(f"epoch {gone.number}  destroyed {gone.destroyed_at:%Y-%m-%d %H:%M} UTC by {gone.destroyed_by}")
        within = house.settings.forgotten_within_days()
        print(f"What a person erases is unreadable in every copy within {within} days.")


async def rotate() -> None:
    """Begin an epoch and move everything to it, with a bar; says when the one before may go."""
    async with at_home() as house:
        async with house.doors.work("jobs") as session:
            total = sum(sum(count.values()) for count in (await record.hanging(session)).values())
        before = house.ring.epoch
        number = await rotation.begin(house, by=BY)
        with Bar("Moving to the new epoch") as bar:
            await rotation.level(house, by=BY, tell=lambda kind, done: bar.step(kind, done, total))
        async with house.doors.work("jobs") as session:
            began = {one.number: one.began_at for one in await record.living(session)}[number]
        free = began + timedelta(days=house.settings.epoch_grace_days)
        print(f"Epoch {number} is current. Copy {house.ring.file} now, and take a `keys dump`.")
        print(f"Epoch {before} may be destroyed from {free:%Y-%m-%d %H:%M} UTC on; the worker does it by itself.")


async def destroy(number: int) -> None:
    """Destroy an epoch. Raises NotFound, EpochYoung, EpochInUse."""
    async with at_home() as house:
        await rotation.destroy(house, number, by=BY)
        print(f"Epoch {number} is destroyed here. Copies of {house.ring.file} that hold it must go too: docs/keys.md.")


async def dump(path: Path) -> None:
    """Write the dump that a restore needs at its newest."""
    async with at_home() as house:
        print(f"{await keydump.write(house, path)} lines are in {path}.")


async def restore(path: Path) -> None:
    """Bring a restored database to the newest keys. Raises DumpUnusable."""
    async with at_home() as house:
        found = await keydump.restore(house, path, by=BY)
        print(f"{found.kept} people kept their points; {found.gone} left since, with {found.records} records.")

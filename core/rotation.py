"""Epochs in the database: which live, what moves to the current one, and the record of those that were destroyed.

An epoch is announced here before its key is in the file, and its key leaves the file before the transaction that
records its end commits; so whatever a crash leaves is finished by doing the same again. The database itself refuses
to let an epoch go while a row refers to it. Rooms that seal under an epoch have a mover of their own beside `rewrap`.
"""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core import audit, clock, db, epochs
from core.audit import Actor
from core.errors import Conflict, NotFound
from core.keys import Keyring
from core.tables import destroyed_epoch, epoch


class EpochInUse(Conflict):
    """Something still opens with this epoch alone."""

    code = "epoch_in_use"
    title = "The epoch is in use"


class EpochYoung(Conflict):
    """The epoch after it is not old enough yet."""

    code = "epoch_young"
    title = "It is too early to destroy the epoch"


class Lives(msgspec.Struct, frozen=True):
    """An epoch that was not destroyed, and since when it was current."""

    number: int
    began_at: datetime


class Destroyed(msgspec.Struct, frozen=True):
    """An epoch that is no more; `destroyed_by` is kind:id of who did it."""

    number: int
    began_at: datetime
    destroyed_at: datetime
    destroyed_by: str


async def living(session: AsyncSession) -> list[Lives]:
    """Every epoch that was not destroyed, oldest first."""
    rows = await session.execute(select(epoch.c.number, epoch.c.began_at).order_by(epoch.c.number))
    return [Lives(row.number, row.began_at) for row in rows]


async def hanging(session: AsyncSession) -> dict[str, dict[int, int]]:
    """How many rows of each table hang on each epoch: every table that refers to `keys.epoch`."""
    connection = await db.raw(session)
    found: dict[str, dict[int, int]] = {}
    for row in await connection.fetch(_REFERRING):
        counted = f"select {row['col']} as number, count(*) as many from {row['tab']} group by 1 order by 1"  # noqa: S608  (the catalogue's own names, quoted by it)
        found[row["tab"]] = {
            one["number"]: one["many"] for one in await connection.fetch(counted) if one["number"] is not None
        }
    return found


async def destroyed(session: AsyncSession) -> list[Destroyed]:
    """The record of every epoch that was destroyed, oldest first."""
    rows = await session.execute(select(destroyed_epoch).order_by(destroyed_epoch.c.number))
    return [Destroyed(row.number, row.began_at, row.destroyed_at, row.destroyed_by) for row in rows]


async def announce(session: AsyncSession, ring: Keyring, *, by: Actor) -> int:
    """Make the next epoch's number known and log it; once this is committed, `epochs.add` may begin it."""
    number = ring.epoch + 1
    told = upsert(epoch).values(number=number, began_at=clock.wall()).on_conflict_do_nothing()
    if (await session.execute(told.returning(epoch.c.number))).first() is not None:
        await audit.write(
            session, actor=by, action="epoch.begin", purpose="keys", outcome="done", detail={"epoch": number}
        )
    return number


async def rewrap(session: AsyncSession, ring: Keyring, *, limit: int) -> int:
    """Wrap up to `limit` personal keys of older epochs under the current one; returns how many.

    Rows that a writer holds are left for the next call.
    """
    connection = await db.raw(session)
    rows = await connection.fetch(_OLDER, ring.epoch, list(ring.epochs), limit)
    moved: list[tuple[uuid.UUID, str, int, bytes]] = []
    for row in rows:
        named = {"owner": row["owner"], "purpose": row["purpose"]}
        key = ring.unwrap(row["wrapped"], epoch=row["epoch"], **named)
        moved.append((*named.values(), *ring.wrap(key, **named)))
    if moved:
        await connection.execute(_MOVE, *zip(*moved, strict=True))
    return len(moved)


async def destroy(session: AsyncSession, ring: Keyring, *, number: int, grace: timedelta, by: Actor) -> None:
    """Destroy an epoch's key for good and record it, once its successor is older than `grace`.

    Raises NotFound, EpochYoung, EpochInUse.
    """
    lives = {one.number: one.began_at for one in await living(session)}
    if number not in lives:
        message = f"No living epoch has the number {number}; `osmanthus keys list` shows them."
        raise NotFound(message)
    _refuse_young(lives, number, current=ring.epoch, grace=grace)
    try:
        await session.execute(delete(epoch).where(epoch.c.number == number))
    except IntegrityError as error:
        table = getattr(error.orig.__cause__ if error.orig else None, "table_name", "a table")
        message = f"Table {table} still hangs on epoch {number}: `osmanthus keys rotate` moves it on."
        raise EpochInUse(message) from error
    now = clock.wall()
    record = {"number": number, "began_at": lives[number], "destroyed_at": now, "destroyed_by": f"{by.kind}:{by.id}"}
    await session.execute(insert(destroyed_epoch).values(**record))
    await audit.write(
        session, actor=by, action="epoch.destroy", purpose="keys", outcome="done", detail={"epoch": number}
    )
    await asyncio.to_thread(epochs.remove, ring.file, number)


def _refuse_young(lives: dict[int, datetime], number: int, *, current: int, grace: timedelta) -> None:
    """A process may have been told of the newer epoch a second ago; a dump under it must be there first."""
    after: Sequence[datetime] = [began for other, began in lives.items() if number < other <= current]
    if not after:
        message = f"Epoch {number} is the current one: `osmanthus keys rotate` begins another."
        raise EpochYoung(message)
    if (free := min(after) + grace) > clock.wall():
        message = f"Epoch {number} may be destroyed from {free:%Y-%m-%d %H:%M} UTC on."
        raise EpochYoung(message)


_REFERRING = """
select conrelid::regclass::text as tab, quote_ident(a.attname) as col
from pg_constraint c join pg_attribute a on a.attrelid = conrelid and a.attnum = conkey[1]
where contype = 'f' and confrelid = 'keys.epoch'::regclass order by 1
"""

_OLDER = """
select owner, purpose, epoch, wrapped from keys.person_key
where epoch <> $1 and epoch = any($2::integer[]) limit $3 for update skip locked
"""

_MOVE = """
update keys.person_key k set epoch = new.epoch, wrapped = new.wrapped
from unnest($1::uuid[], $2::text[], $3::integer[], $4::bytea[]) as new (owner, purpose, epoch, wrapped)
where k.owner = new.owner and k.purpose = new.purpose
"""

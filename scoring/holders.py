"""The thread between a citizen and their records, opened only here.

A holder is a citizen with a live `score` consent, and the random subject under which their records lie. The thread is
sealed under the citizen's *records* key (`scoring.link`) and, the other way round, under an epoch key
(`scoring.live.sealed_owner`). Whoever changes records or a standing locks the link first, in the order of the citizens'
ids, so that writers about the same people wait for each other and never for ever. People after their consent are seen
by no writer, their links neither: they are held by their row of `scoring.live`, in the order of the subjects and before
any link (`unseen`). A renewal has the link and asks for that row before it reads a record.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import asyncpg
import msgspec
from sqlalchemy import ARRAY, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import db, sealed
from core.keys import KeyGone, Keyring

LINK = ("scoring.link", "sealed")
OWNER = ("scoring.live", "sealed_owner")


class Thread(msgspec.Struct, frozen=True):
    """What `scoring.link.sealed` holds."""

    record_subject: uuid.UUID
    adult_on: date


class Holder(msgspec.Struct, frozen=True):
    """A citizen whose records may be used now. Holds a key: never log it."""

    citizen_id: uuid.UUID
    consent_id: uuid.UUID
    record_subject: uuid.UUID
    adult_on: date
    key: bytes


_COLUMNS = "l.citizen_id, l.consent_id, l.sealed, k.epoch, k.wrapped"
_LOOK = (
    f"select {_COLUMNS} from scoring.link l "  # noqa: S608  (constants of this module)
    "join auth.live_consent c on c.id = l.consent_id "
    "join keys.person_key k on k.owner = l.citizen_id and k.purpose = 'records' "
    "where l.citizen_id = any($1::uuid[])"
)
_LOCK = "select 1 from scoring.link where citizen_id = any($1::uuid[]) order by citizen_id for update"


async def of(session: AsyncSession, ring: Keyring, *, citizen_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Holder]:
    """The holders among these citizens; whoever has no live consent is absent."""
    connection = await db.raw(session)
    rows = await connection.fetch(_LOOK, list(citizen_ids))
    found = {row["citizen_id"]: _open(ring, row) for row in rows}
    if len(found) == 1:
        await name(session, next(iter(found.values())).record_subject)
    return found


async def name(session: AsyncSession, record_subject: uuid.UUID) -> None:
    """Name the one subject whose records this transaction is about: the citizen's door is shown no others.

    It is random and known only to whoever opened the thread, so naming it shows that one did.
    """
    connection = await db.raw(session)
    await connection.execute("select set_config('app.subject', $1, true)", str(record_subject))


async def lock(session: AsyncSession, ring: Keyring, *, citizen_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Holder]:
    """Like `of`, with every link locked until the transaction ends.

    The consent is read by a later statement than the lock, so a withdrawal that came first is seen.
    """
    wanted = list(citizen_ids)
    await hold(session, citizen_ids=wanted)
    return await of(session, ring, citizen_ids=wanted)


async def hold(session: AsyncSession, *, citizen_ids: Sequence[uuid.UUID]) -> None:
    """Lock the links of these citizens until the transaction ends, and open none."""
    connection = await db.raw(session)
    await connection.fetch(_LOCK, citizen_ids)


async def unseen(session: AsyncSession, function: str, *given: Any) -> None:
    """Call a function that holds people after their consent, and does to their records what is to be done.

    It answers true where somebody renewed while it waited for them. Then all of it is undone and done anew: they are
    seen by now, so their row is not to be kept while their link is asked for.
    """
    while True:
        async with session.begin_nested() as attempt:
            connection = await db.raw(session)  # in here: asking for it is what sets the savepoint
            if not await connection.fetchval(function, *given):
                return
            await attempt.rollback()


async def one(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, locked: bool = False) -> Holder | None:
    """One citizen's holder, or None without a live consent."""
    find = lock if locked else of
    return (await find(session, ring, citizen_ids=[citizen_id])).get(citizen_id)


async def owners(
    session: AsyncSession, ring: Keyring, *, record_subjects: Sequence[uuid.UUID]
) -> dict[uuid.UUID, uuid.UUID]:
    """The citizen behind each record subject that is live; opened with the epoch key."""
    rows = await session.execute(
        text(
            "select record_subject, epoch, sealed_owner from scoring.live where record_subject = any(:subjects)"
        ).bindparams(bindparam("subjects", list(record_subjects), ARRAY(Uuid)))
    )
    found: dict[uuid.UUID, uuid.UUID] = {}
    for row in rows:
        try:
            opened = ring.open_epoch(row.epoch, row.sealed_owner, place=(*OWNER, row.record_subject.bytes))
        except KeyGone:  # the epoch was destroyed before this row was sealed again: nobody is behind it any more
            continue
        found[row.record_subject] = uuid.UUID(bytes=opened)
    return found


async def reseal(session: AsyncSession, ring: Keyring, *, limit: int) -> int:
    """Seal up to `limit` threads back to their citizens under the current epoch; returns how many.

    `session` is of the jobs door. Rows that a writer holds are left for the next call.
    """
    connection = await db.raw(session)
    rows = await connection.fetch(_OLDER, ring.epoch, list(ring.epochs), limit)
    moved: list[tuple[uuid.UUID, int, bytes]] = []
    for row in rows:
        place = (*OWNER, row["record_subject"].bytes)
        owner = ring.open_epoch(row["epoch"], row["sealed_owner"], place=place)
        moved.append((row["record_subject"], *ring.seal_epoch(owner, place=place)))
    if moved:
        await connection.execute(MOVE, *zip(*moved, strict=True))
    return len(moved)


def read_thread(key: bytes, value: bytes, citizen_id: uuid.UUID) -> Thread:
    """Open a link with its citizen's records key."""
    return msgspec.msgpack.decode(sealed.unseal(key, value, place=(*LINK, citizen_id.bytes)), type=Thread)


def _open(ring: Keyring, row: asyncpg.Record) -> Holder:
    citizen_id = row["citizen_id"]
    key = ring.unwrap(row["wrapped"], epoch=row["epoch"], owner=citizen_id, purpose="records")
    thread = read_thread(key, row["sealed"], citizen_id)
    return Holder(citizen_id, row["consent_id"], thread.record_subject, thread.adult_on, key)


_OLDER = """
select record_subject, epoch, sealed_owner from scoring.live
where epoch <> $1 and epoch = any($2::integer[]) limit $3 for update skip locked
"""

MOVE = """
update scoring.live l set epoch = new.epoch, sealed_owner = new.sealed_owner
from unnest($1::uuid[], $2::integer[], $3::bytea[]) as new (record_subject, epoch, sealed_owner)
where l.record_subject = new.record_subject
"""

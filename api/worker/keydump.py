"""The dump that is always the newest: wrapped keys, the erasure list, and the ends of consents; and its way back.

Rows of any backup plus the newest of these dumps plus the newest epochs file make a city again in which nobody who
left, and nothing that was withdrawn, comes back. The dump opens nothing without the epochs file. Promises: written
whole or not at all, mode 0600; brought back in one transaction or not at all. Does not promise anything about consents
given, or records received, after the backup of the rows: those are lost with the rows.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from api.deps import House
from auth import reindex
from core import audit, clock, db
from core.audit import Actor
from core.errors import Conflict
from incentives.events import deliveries
from scoring import rethread
from scoring.rethread import Rethreaded

_CHUNK = 5000


class DumpUnusable(Conflict):
    """The dump is cut, or the epochs file that belongs to it is another one."""

    code = "dump_unusable"
    title = "The dump of keys cannot be brought back"


class Key(msgspec.Struct, frozen=True, array_like=True, tag="key"):
    """A wrapped personal key."""

    owner: UUID
    purpose: str
    epoch: int
    wrapped: bytes


class Erased(msgspec.Struct, frozen=True, array_like=True, tag="erased"):
    """A line of the erasure list."""

    owner: UUID
    purpose: str
    at: datetime


class Ended(msgspec.Struct, frozen=True, array_like=True, tag="ended"):
    """The end of a consent."""

    consent_id: UUID
    reason: str
    at: datetime


class Left(msgspec.Struct, frozen=True, array_like=True, tag="left"):
    """The end of one source under a consent."""

    consent_id: UUID
    source: str
    at: datetime


class Destroyed(msgspec.Struct, frozen=True, array_like=True, tag="destroyed"):
    """The record of a destroyed epoch."""

    number: int
    began_at: datetime
    destroyed_at: datetime
    destroyed_by: str


class Whole(msgspec.Struct, frozen=True, array_like=True, tag="whole"):
    """The last line: when the dump was begun, and how many lines come before this one."""

    began_at: datetime
    lines: int


Line = Key | Erased | Ended | Left | Destroyed

_READS: dict[type[Line], str] = {
    Key: "select owner, purpose, epoch, wrapped from keys.person_key",
    Erased: "select owner, purpose, at from keys.erased",
    Ended: "select consent_id, reason, at from auth.consent_end",
    Left: "select consent_id, source, at from auth.consent_source_end",
    Destroyed: "select number, began_at, destroyed_at, destroyed_by from keys.destroyed_epoch",
}


async def write(house: House, path: Path) -> int:
    """Write a dump, replacing an older one of this name; returns how many lines."""
    began, lines, encoder = clock.wall(), 0, msgspec.json.Encoder()
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        async with house.doors.work("jobs") as session:
            connection = await db.raw(session)
            for kind, query in _READS.items():
                async for row in connection.cursor(query, prefetch=_CHUNK):
                    file.write(encoder.encode(kind(*row.values())) + b"\n")
                    lines += 1
        file.write(encoder.encode(Whole(began, lines)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    return lines


async def restore(house: House, path: Path, *, by: Actor) -> Rethreaded:
    """Bring a restored database to the state of the newest keys, before any door opens. Raises DumpUnusable."""
    began = _check(path, house.ring.epochs)
    async with db.above(house.settings.database_url) as session:
        connection = await db.raw(session)
        known = list(house.ring.epochs)
        await connection.execute(_EPOCHS, known)
        await connection.execute("delete from keys.person_key")
        for some in _chunks(path):
            await connection.execute(_WRITES[type(some[0])], *zip(*map(msgspec.structs.astuple, some), strict=True))
        await connection.execute(_ERASED_MEANWHILE, began)
        await connection.execute(_UNKNOWN)
        found = await rethread.rethread(session, house.ring)
        await _index(session, house)
        await _let_go(connection, known)
        await deliveries.renumber(session)
        detail: dict[str, Any] = msgspec.to_builtins(found) | {"dump_of": began.isoformat()}
        await audit.write(session, actor=by, action="keys.restore", purpose="keys", outcome="done", detail=detail)
    return found


def _lines(path: Path) -> Iterator[Line | Whole]:
    decoder: msgspec.json.Decoder[Line | Whole] = msgspec.json.Decoder(Line | Whole)
    with path.open("rb") as file:
        for line in file:
            yield decoder.decode(line)


def _check(path: Path, known: frozenset[int]) -> datetime:
    """When the dump was begun; looks at every line first, so that nothing is changed by half a dump."""
    count, last, lacking = 0, None, set[int]()
    for last in _lines(path):
        count += 1
        if isinstance(last, Key) and last.epoch not in known:
            lacking.add(last.epoch)
    if not isinstance(last, Whole) or last.lines != count - 1:
        raise DumpUnusable("Its last line does not count the others: take another copy.")
    if lacking:
        message = f"The epochs file does not hold epoch {min(lacking)}: bring the newest dump and the newest file."
        raise DumpUnusable(message)
    return last.began_at


def _chunks(path: Path) -> Iterator[list[Line]]:
    """Lines of one kind together, some thousands at a time."""
    some: list[Line] = []
    for line in _lines(path):
        if some and (type(line) is not type(some[0]) or len(some) == _CHUNK):
            yield some
            some = []
        if not isinstance(line, Whole):
            some.append(line)


async def _index(session: AsyncSession, house: House) -> None:
    """Indexes of the backup's day, made anew from what opens."""
    for move in (reindex.citizens_by_number, reindex.accounts_by_name):
        while await move(session, house.ring, limit=_CHUNK):
            pass


async def _let_go(connection: "asyncpg.Connection[asyncpg.Record]", known: list[int]) -> None:
    """Forget the epochs that no file holds; the database refuses while a row still hangs on one."""
    try:
        await connection.execute("delete from keys.epoch where number <> all($1::integer[])", known)
    except asyncpg.ForeignKeyViolationError as error:
        message = f"Rows of {error.table_name} hang on an epoch that no file holds; nothing was changed."
        raise DumpUnusable(message) from error


_EPOCHS = "insert into keys.epoch select number, now() from unnest($1::integer[]) number on conflict do nothing"

_WRITES: dict[type[Line], str] = {
    Key: "insert into keys.person_key (owner, purpose, epoch, wrapped) "
    "select * from unnest($1::uuid[], $2::text[], $3::integer[], $4::bytea[])",
    Erased: "insert into keys.erased (owner, purpose, at) "
    "select * from unnest($1::uuid[], $2::text[], $3::timestamptz[]) except select owner, purpose, at from keys.erased",
    Ended: "insert into auth.consent_end (consent_id, reason, at) "
    "select e.* from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as e (consent_id, reason, at) "
    "join auth.consent c on c.id = e.consent_id on conflict do nothing",
    Left: "insert into auth.consent_source_end (consent_id, source, at) "
    "select e.* from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as e (consent_id, source, at) "
    "join auth.consent c on c.id = e.consent_id on conflict do nothing",
    Destroyed: "insert into keys.destroyed_epoch (number, began_at, destroyed_at, destroyed_by) "
    "select * from unnest($1::integer[], $2::timestamptz[], $3::timestamptz[], $4::text[]) on conflict do nothing",
}

# A key that was read for the dump a moment before it was destroyed.
_ERASED_MEANWHILE = """
delete from keys.person_key k using keys.erased e
where e.owner = k.owner and e.purpose = k.purpose and e.at >= $1
"""

# Nobody can say who they are: they left after the backup. Accounts, telephone numbers and sessions go with the row.
_UNKNOWN = """
delete from auth.citizen c where not exists (
  select from keys.person_key k where k.owner = c.id and k.purpose = 'identity')
"""

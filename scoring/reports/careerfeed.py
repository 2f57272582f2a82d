"""How occupational records come in: lines checked by themselves, kept for those who consent, one answer for everybody.

The same lines, codes and receipt as for records of points (`scoring.ingest`), on the *source* door, which reaches the
class through functions that prove its token (migration 0022) and nothing else. A chunk of lines is looked up at once;
whoever has no live consent naming this source is dropped, unstored. A chunk is whole or not at all; repeating a push
changes nothing.
"""

import uuid
from collections.abc import AsyncIterator, Sequence

import msgspec
from sqlalchemy import ARRAY, Date, Integer, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids, ndjson
from core.db import Doors
from core.keys import KeyGone, Keyring
from scoring import rulebook, staging
from scoring.book.lines import Accepted
from scoring.ingest import (
    CHUNK,
    LONGEST_LINE,
    MOST_BYTES,
    MOST_LINES,
    Receipt,
    Refusal,
    Source,
    TooManyLines,
    digest_of,
)
from scoring.reports import career
from scoring.rulebook import RuleBook


class Caller(msgspec.Struct, frozen=True):
    """A source that pushes occupational records: what it is, and SHA-256 of the jti of its live token."""

    source: Source
    token: bytes


async def receive(doors: Doors, *, caller: Caller, body: AsyncIterator[bytes]) -> Receipt:
    """Take a push of NDJSON bytes (already inflated). Raises NoScorecardInForce, TooManyLines, TooLarge, Malformed."""
    async with doors.work("scorer") as session:  # for the rule book alone: its role may not touch the class
        book = await rulebook.current(session, on=clock.today())
    push = _Push(doors, caller, book)
    await push.read(body)
    return Receipt(ids.show("ba", push.batch_id), push.received, push.accepted, tuple(push.rejected))


async def revoke(session: AsyncSession, *, token: bytes, ref: str, version: int | None) -> None:
    """Take a record back; nothing tells whether there was one. `session` is of the source door. SH article 37."""
    await session.execute(_END, {"token": token, "ref": ref, "version": version})


async def subjects(session: AsyncSession, *, token: bytes, after: bytes, limit: int) -> list[bytes]:
    """The digests of those whom the calling source may send about, in their order."""
    return list(await session.scalars(_SUBJECTS, {"token": token, "after": after, "limit": limit}))


class _Push:
    """The lines of one push as they come; holds one chunk at a time."""

    def __init__(self, doors: Doors, caller: Caller, book: RuleBook) -> None:
        self._doors, self._caller, self._book = doors, caller, book
        self._permitted = caller.source.kinds & book.career.enabled()
        self._today = clock.today()
        self._waiting: dict[str, tuple[bytes, Accepted]] = {}
        self.batch_id = ids.new()
        self.received = self.accepted = 0
        self.rejected: list[Refusal] = []

    async def read(self, body: AsyncIterator[bytes]) -> None:
        number = 0
        async for raw in ndjson.lines(ndjson.bounded(body, limit=MOST_BYTES), longest=LONGEST_LINE):
            number += 1
            if raw == b"":
                continue
            self.received += 1
            if self.received > MOST_LINES:
                detail = f"At most {MOST_LINES} lines a push. Send the rest in another; what came before is kept."
                raise TooManyLines(detail)
            self._take(number, raw)
            if len(self._waiting) >= CHUNK:
                await self._keep()
        await self._keep()

    def _take(self, number: int, raw: bytes | None) -> None:
        if raw is None:
            detail = f"The line is longer than {LONGEST_LINE} bytes. A record is far smaller; correct it and resend."
            self.rejected.append(Refusal(number, None, "malformed", detail))
            return
        source = self._caller.source
        reader = self._book.career_reader
        line = reader.read(raw, permitted=self._permitted, received_on=self._today, provider=source.id)
        if not isinstance(line, Accepted):
            self.rejected.append(Refusal(number, line.ref, line.code, line.detail))
            return
        self.accepted += 1
        earlier = self._waiting.get(line.ref)
        if earlier is None or earlier[1].version < line.version:
            self._waiting[line.ref] = (digest_of(line, source.digest_key), line)

    async def _keep(self) -> None:
        """Seal and keep what waits, of those who consent; note the versions of what is dropped."""
        if not self._waiting:
            return
        async with self._doors.work("source") as session:
            await _keep(
                session, self._doors.ring, self._caller, self._book, list(self._waiting.values()), self.batch_id
            )
        self._waiting.clear()


async def _keep(
    session: AsyncSession,
    ring: Keyring,
    caller: Caller,
    book: RuleBook,
    lines: Sequence[tuple[bytes, Accepted]],
    batch_id: uuid.UUID,
) -> None:
    rows = await session.execute(_PEOPLE, {"token": caller.token, "digests": list({digest for digest, _ in lines})})
    people: dict[bytes, tuple[uuid.UUID, bytes]] = {}
    for row in rows:
        try:
            key = ring.unwrap(row.wrapped, epoch=row.epoch, owner=row.citizen_id, purpose="occupational")
        except KeyGone:
            continue
        people[row.digest] = (row.citizen_id, key)
    kept = [_sealed(book, caller.source.id, line, *people[digest]) for digest, line in lines if digest in people]
    dropped = {line.ref: line.version for digest, line in lines if digest not in people}
    columns = zip(_COLUMNS, zip(*kept, strict=True) if kept else ((),) * len(_COLUMNS), strict=True)
    given = {name: list(column) for name, column in columns}
    told = msgspec.json.encode(dropped).decode()
    await session.execute(_KEEP, {"token": caller.token, "dropped": told, "batch": ids.show("ba", batch_id), **given})


def _sealed(book: RuleBook, source: str, line: Accepted, citizen_id: uuid.UUID, key: bytes) -> tuple[object, ...]:
    """One row in the order of _COLUMNS."""
    record_id = staging.record_id(key, source, line.ref)  # the same from version to version
    content = career.content_of(line)
    until = career.keep_until(book.career, content)
    return citizen_id, record_id, line.ref, line.version, until, career.seal(key, record_id, content)


_COLUMNS = ("citizens", "ids", "refs", "versions", "until", "sealed")
_PEOPLE = text("select * from scoring.career_people(:token, :digests)").bindparams(
    bindparam("digests", type_=ARRAY(LargeBinary))
)
_SUBJECTS = text("select scoring.career_subjects(:token, :after, :limit)")
_END = text("select scoring.end_career(:token, :ref, :version)").bindparams(bindparam("version", type_=Integer))
_KEEP = text(
    "select scoring.keep_career("
    ":token, :citizens, :ids, :refs, :versions, :until, :sealed, cast(:dropped as jsonb), :batch)"
).bindparams(
    bindparam("citizens", type_=ARRAY(Uuid)), bindparam("ids", type_=ARRAY(Uuid)), bindparam("refs", type_=ARRAY(Text)),
    bindparam("versions", type_=ARRAY(Integer)), bindparam("until", type_=ARRAY(Date)),
    bindparam("sealed", type_=ARRAY(LargeBinary)),
)  # fmt: skip

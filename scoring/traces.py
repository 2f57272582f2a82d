"""The stored trace of a change: the whole evaluation, small enough to keep for everyone.

Most of an evaluation is the scorecard's own words. So it is deflated (RFC 1951) against the evaluation of nobody with
nothing, then sealed: some 200 bytes instead of 2,000. Those words are no personal data; they are kept in
`scoring.trace_words` under their hash for as long as a trace may need them, so that no later version of the evaluator
or of a file can make an old trace unreadable.
"""

import hashlib
import uuid
import zlib
from collections.abc import Iterable
from datetime import date

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core import db, sealed
from scoring.points.evaluate import Evaluation, Evaluator
from scoring.tables import trace_words

PLACE = ("scoring.standing_change", "sealed")
_HASH = 8
_DAY = date(2000, 1, 1)
_RAW = -15  # zlib's window bits for a bare deflate stream
_LEVEL = 1

_KEEP = "insert into scoring.trace_words (name, body) values ($1, $2) on conflict do nothing"

_words: dict[bytes, bytes] = {}  # by hash, so that one entry is right for every database


class Words(msgspec.Struct, frozen=True):
    """What the traces of one scorecard have in common, and its name."""

    name: bytes
    body: bytes


def words(evaluator: Evaluator) -> Words:
    """The words of an evaluator's traces."""
    body = msgspec.msgpack.encode(evaluator((), _DAY, _DAY))
    return Words(hashlib.sha256(body).digest()[:_HASH], body)


async def keep(session: AsyncSession, shared: Words) -> None:
    """Make sure that traces written with these words can be read, in the caller's transaction."""
    connection = await db.raw(session)
    await connection.execute(_KEEP, shared.name, shared.body)


def close(key: bytes, evaluation: Evaluation, *, shared: Words, identity: uuid.UUID) -> bytes:
    """Seal an evaluation as the trace of the change `identity`, under the citizen's records key."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, zdict=shared.body)
    body = packer.compress(msgspec.msgpack.encode(evaluation)) + packer.flush()
    return sealed.seal(key, shared.name + body, place=(*PLACE, identity.bytes))


async def open_all(session: AsyncSession, key: bytes, traces: Iterable[tuple[uuid.UUID, bytes]]) -> list[Evaluation]:
    """Open a citizen's traces, in their order."""
    opened = [sealed.unseal(key, value, place=(*PLACE, identity.bytes)) for identity, value in traces]
    missing = {body[:_HASH] for body in opened} - _words.keys()
    if missing:
        rows = await session.execute(select(trace_words).where(trace_words.c.name.in_(missing)))
        _words.update({row.name: row.body for row in rows})
    return [_inflate(body) for body in opened]


def _inflate(body: bytes) -> Evaluation:
    unpacker = zlib.decompressobj(_RAW, zdict=_words[body[:_HASH]])
    return msgspec.msgpack.decode(unpacker.decompress(body[_HASH:]), type=Evaluation)

"""A source's push: lines in, a receipt out, standings moved in between.

Each line is decided by itself, in memory; then those about people whose consent names the source are staged, sealed;
at the end one transaction merges them. The receipt depends on the lines alone: it says nothing about who takes part or
what came before. Anything that breaks the push off (a cut connection, a limit, a fault) leaves nothing: staging is
cleared, and swept if even that fails. (source, ref, version) makes repeating a push harmless, so it needs no
Idempotency-Key.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable

import msgspec

from core import clock, ids, ndjson, sealed
from core.db import Doors
from core.errors import TooLarge
from scoring import merge, rulebook, staging
from scoring.book.lines import Accepted, Rejected
from scoring.rulebook import RuleBook
from scoring.staging import Candidate
from scoring.tally import PUSHED, Batch, Counts, How

MOST_LINES = 100_000
LONGEST_LINE = 64 * 1024
MOST_BYTES = 256 * 1024 * 1024
CHUNK = 1_000
_BREATH = 100  # lines between two turns of the event loop, so that other requests wait some milliseconds at most


class TooManyLines(TooLarge):
    """A push holds at most MOST_LINES lines."""

    code = "too_many_lines"
    title = "Too many lines"


class Source(msgspec.Struct, frozen=True):
    """A source bureau that pushes: its client id, the kinds agreed with it, the key of its ID digests (a secret)."""

    id: str
    kinds: frozenset[str]
    digest_key: bytes


class Refusal(msgspec.Struct, frozen=True):
    """One line that was not well-formed; `ref` is null when it could not be read."""

    line: int
    ref: str | None
    code: str
    detail: str


# A line's number in its file, and the line: b"" when blank, None when too long, or why it cannot be read at all.
Row = tuple[int, bytes | Rejected | None]


class Receipt(msgspec.Struct, frozen=True):
    """What a source hears: `accepted` lines were well-formed. The same for everybody but for `batch_id`."""

    batch_id: str
    received: int
    accepted: int
    rejected: tuple[Refusal, ...]


_TOO_LONG = f"The line is longer than {LONGEST_LINE} bytes. A record is far smaller; correct it and resend."


async def receive(
    doors: Doors, *, source: Source, body: AsyncIterator[bytes], how: How = PUSHED, only: bytes | None = None
) -> Receipt:
    """Take a push of NDJSON bytes (already inflated) and merge it; with `only`, lines about one digest.

    Raises NoScorecardInForce, TooManyLines, TooLarge, Malformed, and whatever `body` raises when it is cut off.
    """
    return await take(doors, source=source, rows=lambda _book: _numbered(body), how=how, only=only)


async def take(
    doors: Doors,
    *,
    source: Source,
    rows: Callable[[RuleBook], AsyncIterator[Row]],
    how: How = PUSHED,
    only: bytes | None = None,
) -> Receipt:
    """Take lines that somebody else cuts out of a body, by the rule book that judges them, and merge them."""
    batch_id = ids.new()
    async with doors.work("scorer") as session:
        book = await rulebook.current(session, on=clock.today())
    push = _Push(doors, source, book, batch_id, how, only)
    try:
        await push.read(rows(book))
        async with doors.work("scorer") as session:
            await merge.merge(session, doors.ring, pushed=push.batch(), book=book, as_of=clock.today())
    except BaseException:
        await asyncio.shield(staging.clear(doors, batch_id=batch_id))
        raise
    return Receipt(ids.show("ba", batch_id), push.received, push.accepted, tuple(push.rejected))


class _Push:
    """The lines of one push as they come; holds one chunk at a time."""

    def __init__(
        self,
        doors: Doors,
        source: Source,
        book: RuleBook,
        batch_id: uuid.UUID,
        how: How = PUSHED,
        only: bytes | None = None,
    ) -> None:
        self._doors, self._source, self._book, self._batch_id, self._how = doors, source, book, batch_id, how
        self._only = only
        self._permitted = source.kinds & book.kinds
        self._today = clock.today()
        self._waiting: list[Candidate] = []
        self._before = "", b""
        self._dropped: dict[str, int] = {}
        self._counts, self._first = Counts(), dict[tuple[str, str], int]()
        self.received = self.accepted = 0
        self.rejected: list[Refusal] = []

    def batch(self) -> Batch:
        """What the merge needs to know."""
        return Batch(
            self._batch_id, self._source.id, self.received, self.accepted, self._dropped, self._how,
            self._counts, self._first,
        )  # fmt: skip

    async def read(self, rows: AsyncIterator[Row]) -> None:
        """Read to the end; a push with too many lines is read on and refused then, so that the source hears why."""
        async for number, raw in rows:
            if raw == b"":
                continue
            self.received += 1
            if self.received <= MOST_LINES:
                self._take(number, raw)
            if len(self._waiting) >= CHUNK:
                await self._stage()
            elif number % _BREATH == 0:
                await asyncio.sleep(0)
        if self.received > MOST_LINES:
            detail = f"At most {MOST_LINES} lines a push. Nothing was merged; send it in parts."
            raise TooManyLines(detail)
        await self._stage()

    def _take(self, number: int, raw: bytes | Rejected | None) -> None:
        if raw is None:
            raw = Rejected("malformed", _TOO_LONG)
        line = raw if isinstance(raw, Rejected) else self._judged(raw)
        if isinstance(line, Accepted):
            self.accepted += 1
            self._counts[line.kind, "accepted", ""] += 1
            self._waiting.append(Candidate(number, self._digest(line), line))
        else:
            self._counts[line.kind, "rejected", line.code] += 1
            self._first.setdefault((line.kind, line.code), number)
            self.rejected.append(Refusal(number, line.ref, line.code, line.detail))

    def _judged(self, raw: bytes) -> Accepted | Rejected:
        line = self._book.reader.read(raw, permitted=self._permitted, received_on=self._today, provider=self._source.id)
        if self._only is None or isinstance(line, Rejected):
            return line
        if self._digest(line) == self._only:
            return line
        return Rejected("malformed", "The line is not about the person who was asked about.", line.ref, line.kind)

    def _digest(self, line: Accepted) -> bytes:
        """The digest of a line's person, made once for lines about the same one that follow each other."""
        if line.id_number is None:
            return digest_of(line, self._source.digest_key)
        if line.id_number != self._before[0]:
            self._before = line.id_number, digest_of(line, self._source.digest_key)
        return self._before[1]

    async def _stage(self) -> None:
        if self._waiting:
            dropped = await staging.stage(
                self._doors,
                batch_id=self._batch_id,
                source=self._source.id,
                candidates=self._waiting,
                sensitive=self._book.sensitive,
            )
            for ref, version in dropped.items():
                self._dropped[ref] = max(version, self._dropped.get(ref, 0))
            self._waiting.clear()


async def _numbered(body: AsyncIterator[bytes]) -> AsyncIterator[Row]:
    """The lines of NDJSON."""
    number = 0
    async for raw in ndjson.lines(ndjson.bounded(body, limit=MOST_BYTES), longest=LONGEST_LINE):
        number += 1
        yield number, raw


def digest_of(line: Accepted, digest_key: bytes) -> bytes:
    """The digest by which a source and the city name the person of a line: HMAC-SHA-256 of the ID number."""
    if line.subject is not None:
        return bytes.fromhex(line.subject)
    return sealed.digest(digest_key, line.id_number or "")

"""What a source bureau may ask besides pushing: who takes part, and that a record be corrected (`ending`: or end).

Every answer is the same whether the ref is known or not, and the effect, with the rescoring, is there before it. The
feed names people by the digest agreed with that source and says nothing else about them.
"""

import base64
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import subjects as consented
from core import clock, db, sealed
from core.db import Doors
from core.errors import FieldError, Invalid
from core.keys import Keyring
from core.sealed import SealBroken
from scoring import ending, ingest, rulebook, staging
from scoring.book.lines import Rejected
from scoring.ingest import Refusal, Source
from scoring.rulebook import RuleBook

PAGE = 1_000
_OVERLAP = timedelta(minutes=10)  # longer than any transaction lives: a late commit is inside it
_NOBODY = "0" * 64
_ENVELOPE: dict[str, Any] = {"version": 1, "kind": "P01", "occurred_on": "2000-01-01", "fields": {}}
_PARTIAL = ("document", "notice", "fields")


class BadCursor(Invalid):
    """`since` is not a cursor of this feed."""

    code = "bad_cursor"
    title = "This is no cursor of this feed"


class Subject(msgspec.Struct, frozen=True):
    """One person of the feed: their digest in hex, `joined` or `left`, and since when."""

    subject: str
    state: str
    changed_at: datetime


class Feed(msgspec.Struct, frozen=True):
    """A page of the feed. Send `next_cursor` as `since`: at once while `more`, later otherwise."""

    subjects: list[Subject]
    next_cursor: str
    more: bool


async def subjects(session: AsyncSession, ring: Keyring, *, source: str, since: str | None, limit: int) -> Feed:
    """Who joined or left, from the cursor on; the last ten minutes may come again, so read each line as a state.

    Raises BadCursor.
    """
    start = _seq(ring, source, since)
    found = await consented.feed(session, source=source, since=start, limit=limit + 1)
    page, more = found[:limit], len(found) > limit
    reached = [one.seq for one in page if more or one.changed_at < clock.wall() - _OVERLAP]
    shown = [Subject(one.digest.hex(), one.state, one.changed_at) for one in page]
    return Feed(shown, _cursor(ring, source, max(reached, default=start)), more)


async def correct(doors: Doors, *, source: Source, given: dict[str, Any]) -> Refusal | None:
    """Replace a record by a higher version; returns why the line by itself is not well-formed, else None.

    `given` is either a whole line of `/records`, or `ref` with the members that change: those are laid over the stored
    line (`fields`, `document` and `notice` member by member; `version` is one higher unless sent). The answer to the
    second form depends on `given` alone, so what does not fit the stored line is ignored, like an unknown ref.
    """
    if "id_number" in given or "subject" in given:
        return await _push(doors, source, given)
    async with doors.work("scorer") as session:
        book = await rulebook.current(session, on=clock.today())
        if (refusal := _by_itself(book, given)) is not None:
            return refusal
        lines = await _overlaid(session, doors.ring, source, given)
    for line in lines:
        await _push(doors, source, line)
    return None


async def _push(doors: Doors, source: Source, line: dict[str, Any]) -> Refusal | None:
    async def body() -> AsyncIterator[bytes]:
        yield msgspec.json.encode(line)

    receipt = await ingest.receive(doors, source=source, body=body())
    return receipt.rejected[0] if receipt.rejected else None


def _by_itself(book: RuleBook, given: dict[str, Any]) -> Refusal | None:
    """Check the envelope of a partial correction, and its names: prohibited ones above all."""
    filled: dict[str, Any] = {
        "version": 1,
        "kind": "P01",
        "occurred_on": "2000-01-01",
        "fields": {},
        **given,
        "subject": _NOBODY,
    }
    line = book.reader.decode(msgspec.json.encode(filled))
    return Refusal(1, line.ref, line.code, line.detail) if isinstance(line, Rejected) else None


async def _overlaid(
    session: AsyncSession, ring: Keyring, source: Source, given: dict[str, Any]
) -> list[dict[str, Any]]:
    """The whole line that a partial correction makes of the stored one, addressed by the person's digest."""
    connection = await db.raw(session)
    lines: list[dict[str, Any]] = []
    for holder in await ending.behind(session, ring, source.id, given["ref"]):
        row = await connection.fetchrow(_STORED, holder.record_subject, source.id, given["ref"], holder.citizen_id)
        if row is not None and row["sealed"]:
            lines.append(_overlay(row, staging.papers(holder, row["id"], row["sealed"]), given))
    return lines


def _overlay(row: Any, papers: staging.Papers, given: dict[str, Any]) -> dict[str, Any]:
    stored: dict[str, Any] = msgspec.to_builtins(papers)
    parts: dict[str, dict[str, Any]] = {
        name: {**(stored.get(name) or {}), **(given.get(name) or {})} for name in _PARTIAL
    }
    line = {"version": row["version"] + 1, "kind": row["kind"], "occurred_on": row["occurred_on"].isoformat(), **given}
    line |= {name: part for name, part in parts.items() if part or name == "fields"}
    return {**line, "subject": row["digest"].hex()}


def _cursor(ring: Keyring, source: str, seq: int) -> str:
    """A feed position that tells nothing: the sequence counts every source's people."""
    value = sealed.seal(_feed_key(ring), seq.to_bytes(8), place=("source_subject", "seq", source.encode()))
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _seq(ring: Keyring, source: str, cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        value = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return int.from_bytes(sealed.unseal(_feed_key(ring), value, place=("source_subject", "seq", source.encode())))
    except (ValueError, SealBroken) as error:
        advice = "Send the `next_cursor` of an earlier answer, or nothing to begin anew."
        raise BadCursor(errors=[FieldError("/since", "bad_cursor", advice)]) from error


def _feed_key(ring: Keyring) -> bytes:
    return ring.derive("source-feed")


_STORED = """
select r.id, r.version, r.kind, r.occurred_on, r.sealed, n.digest
from scoring.record r
join scoring.live l on l.record_subject = r.record_subject and l.until > (select core.civil_now())
join auth.source_subject n on n.source = r.source and n.citizen_id = $4
where r.record_subject = $1 and r.source = $2 and r.ref = $3
"""

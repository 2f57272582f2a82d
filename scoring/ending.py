"""Records that end: taken back by their source, or repaired.

Promises that nobody's record ends without their points: each person is locked first and rescored in the same
transaction; who is in the 30 days after their consent, and has no points, is held, so that a renewal comes before or
after. Does not promise that a ref is known: for an unknown one nothing happens.
"""

import uuid
from collections.abc import Collection
from datetime import date
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, db
from core.keys import Keyring
from scoring import holders, merge, tally
from scoring.holders import Holder
from scoring.rulebook import RuleBook
from scoring.tally import Counts

Named = tuple[str, str]
"""A source, and what it calls a record by."""


async def revoke(
    session: AsyncSession, ring: Keyring, *, source: str, ref: str, version: int | None, book: RuleBook, as_of: date
) -> None:
    """Take a record back: it never counts again, for any day, unless a higher version comes (SH article 37).

    `version`: only when the record is of this version or a lower one.
    """
    await _turn(session, ring, source=source, ref=ref, version=version, to="revoked", book=book, as_of=as_of)


async def repair(
    session: AsyncSession, ring: Keyring, *, source: str, ref: str, version: int | None, book: RuleBook, as_of: date
) -> list[Holder]:
    """End a deduction because its matter was repaired: it counts no more from today on (Order 36, article 3).

    Days before stay as they were. Returns the holder whose record changed, locked.
    """
    return await _turn(session, ring, source=source, ref=ref, version=version, to="repaired", book=book, as_of=as_of)


async def hold(session: AsyncSession, ring: Keyring, records: Collection[Named]) -> None:
    """Lock everybody who has one of these records, for who ends several in one transaction.

    All at once and in the one order of `holders`, so that two who end the same records in opposite orders do not wait
    for each other. Done anew when a push moved one of them to somebody else before the lock was had.
    """
    while True:
        async with session.begin_nested() as attempt:
            known, _ = await _held(session, ring, records)
            if await _subjects(session, records) <= known:
                return
            await attempt.rollback()


async def behind(session: AsyncSession, ring: Keyring, source: str, ref: str) -> list[Holder]:
    """The people with a record that the source calls `ref`, locked; at most one but for contradictory pushes.

    Read before the lock: whoever gets the record meanwhile is not among them.
    """
    return await _locked(session, ring, await _subjects(session, [(source, ref)]))


async def _turn(
    session: AsyncSession,
    ring: Keyring,
    *,
    source: str,
    ref: str,
    version: int | None,
    to: Literal["revoked", "repaired"],
    book: RuleBook,
    as_of: date,
) -> list[Holder]:
    """Set a status, rescore the person, tell them; returns whose record changed."""
    people, rows = await _ended(session, ring, source, ref, version, to)
    verb = "records.revoke" if to == "revoked" else "records.repair"
    await merge.settle(session, people, rows, source=source, book=book, as_of=as_of, action=verb)
    await tally.write(session, source=source, on=as_of, counts=Counts({("", "ended", to): len(rows)} if rows else {}))
    changed = {row[0] for row in rows}
    return [holder for holder in people if holder.record_subject in changed]


async def _ended(
    session: AsyncSession, ring: Keyring, source: str, ref: str, version: int | None, to: str
) -> tuple[list[Holder], list[Any]]:
    """Set a status; returns the people locked for it, and the rows that changed: theirs, or of consents run out.

    A push may bring the ref to somebody else before the lock is had. Then all of it is undone, the lock too, and done
    anew about whom the ref has come to: nobody's record changes without their standing, and locks keep their order.
    """
    while True:
        async with session.begin_nested() as attempt:
            known, people = await _held(session, ring, [(source, ref)])
            connection = await db.raw(session)
            rows = await connection.fetch(_END, source, ref, version, to, clock.civil())
            late = {row[0] for row in rows} - known
            if not late or late.isdisjoint(await _subjects(session, [(source, ref)])):
                return people, rows
            await attempt.rollback()


async def _held(
    session: AsyncSession, ring: Keyring, records: Collection[Named]
) -> tuple[set[uuid.UUID], list[Holder]]:
    """Hold who has one of these records after their consent, look who else has, and lock these; their subjects, too."""
    await holders.unseen(session, _HOLD, *_columns(records))
    known = await _subjects(session, records)
    return known, await _locked(session, ring, known)


async def _subjects(session: AsyncSession, records: Collection[Named]) -> set[uuid.UUID]:
    """The subjects with one of these records, as far as their consent lives."""
    connection = await db.raw(session)
    return {row["record_subject"] for row in await connection.fetch(_WHO, *_columns(records))}


async def _locked(session: AsyncSession, ring: Keyring, subjects: Collection[uuid.UUID]) -> list[Holder]:
    owners = await holders.owners(session, ring, record_subjects=list(subjects))
    return list((await holders.lock(session, ring, citizen_ids=sorted(owners.values()))).values())


def _columns(records: Collection[Named]) -> tuple[list[str], list[str]]:
    return [source for source, _ in records], [ref for _, ref in records]


_HOLD = "select scoring.hold_unseen($1, $2)"

_WHO = """
select found.record_subject from unnest($1::text[], $2::text[]) as named (source, ref) cross join lateral (
  select r.record_subject from scoring.record r join scoring.live l on l.record_subject = r.record_subject
  where r.source = named.source and r.ref = named.ref
  offset 0
) found
"""

# Also of people whose consent has just run out, whom this door does not see: a renewal must not bring it back.
_END = "select * from scoring.end_records($1, $2, $3, $4, $5)"

"""Joining: the records key, the random subject, the thread between them and the first standing.

Called in the transaction that gives the `score` consent. A citizen who renews keeps their subject and records; the
thread then follows the new consent.
"""

import uuid
from datetime import date, datetime

import msgspec
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, ids, keys, sealed
from core.keys import Keyring
from scoring import holders, rulebook, standing
from scoring.holders import Thread
from scoring.standing import Standing
from scoring.tables import link, live


async def open(  # noqa: A001  the door's word; always called as `enrol.open`
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_id: uuid.UUID,
    consent_id: uuid.UUID,
    adult_on: date,
    until: datetime,
) -> Standing:
    """Enrol a citizen under the live consent just given, or move an enrolled one to it; stores the standing.

    `until` is the consent's expiry, an aware instant. Raises NoScorecardInForce.
    """
    book = await rulebook.current(session, on=clock.today())
    key = await keys.make(session, ring, owner=citizen_id, purpose="records")
    if not await _move(session, ring, citizen_id=citizen_id, consent_id=consent_id, until=until):
        await _thread(
            session, ring, key=key, citizen_id=citizen_id, consent_id=consent_id, adult_on=adult_on, until=until
        )
    found = await standing.refresh(
        session, ring, citizen_ids=[citizen_id], as_of=clock.today(), cause="enrolled", book=book
    )
    return found[citizen_id]


async def _move(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, consent_id: uuid.UUID, until: datetime
) -> bool:
    """Bind an existing thread to a new consent; False when there is none."""
    moved = await session.execute(update(link).where(link.c.citizen_id == citizen_id).values(consent_id=consent_id))
    if not moved.rowcount:  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]  (a cursor result)
        return False
    holder = await holders.one(session, ring, citizen_id=citizen_id, locked=True)
    if holder is None:
        raise standing.NotEnrolled
    await session.execute(update(live).where(live.c.record_subject == holder.record_subject).values(until=until))
    return True


async def _thread(
    session: AsyncSession,
    ring: Keyring,
    *,
    key: bytes,
    citizen_id: uuid.UUID,
    consent_id: uuid.UUID,
    adult_on: date,
    until: datetime,
) -> None:
    """Seal the thread both ways. Two requests at once: the second waits on the link's key and fails as a conflict."""
    subject = ids.random()
    forth = sealed.seal(key, msgspec.msgpack.encode(Thread(subject, adult_on)), place=(*holders.LINK, citizen_id.bytes))
    await session.execute(insert(link).values(citizen_id=citizen_id, consent_id=consent_id, sealed=forth))
    await holders.name(session, subject)
    epoch, back = ring.seal_epoch(citizen_id.bytes, place=(*holders.OWNER, subject.bytes))
    await session.execute(insert(live).values(record_subject=subject, until=until, epoch=epoch, sealed_owner=back))

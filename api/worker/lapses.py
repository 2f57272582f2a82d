"""What happens to consents by date alone: reminders, the last day, a wider notice, the end of the grace.

Part of the jobs' round, on their door. What ends here stays stored, unused by anybody, for 30 days: a renewal restores
it without a new push; after that it is erased. PIPL articles 14 and 47.
"""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from api.citizen import agreement, notices
from api.deps import House
from auth.consent import ends, ledger, reminding
from auth.consent.events import BY_CLOCK
from auth.consent.rows import Consent
from core import audit, clock
from core.audit import Actor
from scoring import retention, rulebook, standing

_CHUNK = 500
_FRESH = timedelta(days=14)  # a notice that has ruled for longer has ended all that it ends


async def keep(session: AsyncSession, house: House) -> None:
    """Remind, end what is past its day, and erase what nobody renewed, in the caller's transaction."""
    await reminding.remind(session, limit=_CHUNK)
    for one in await ends.expire(session, house.ring, limit=_CHUNK):
        await _settle(session, house, one, "consent.expire")
    for one in await ends.lapsed(session, days=retention.GRACE_DAYS, limit=_CHUNK):
        await ledger.turn(session, citizen_id=one.citizen_id)
        await agreement.erase(session, house, one, act=BY_CLOCK)
        await ledger.erased(session, house.ring, citizen_id=one.citizen_id, purpose=one.purpose)


async def outdate(house: House) -> int:
    """End every consent to an older notice than one in force that widens what is done; returns how many."""
    async with house.doors.work("jobs") as session:
        recent = await notices.since(session, clock.today() - _FRESH)
    ended = 0
    for notice in recent:
        while notice.widens:
            async with house.doors.work("jobs") as session:
                some = await ends.outdate(
                    session, house.ring, notice=notice.purpose, version=notice.version, limit=_CHUNK
                )
                for one in some:
                    await _settle(session, house, one, "consent.outdate")
            ended += len(some)
            if len(some) < _CHUNK:
                break
    return ended


async def _settle(session: AsyncSession, house: House, one: Consent, action: str) -> None:
    """Tell the citizen, let records rest, and count without what may not count any more."""
    if one.purpose == "score":
        await retention.rest(session, house.ring, citizen_id=one.citizen_id)
    elif one.purpose.startswith("sensitive:"):
        today = clock.today()
        book = await rulebook.current(session, on=today)
        await standing.refresh(
            session, house.ring, citizen_ids=[one.citizen_id], as_of=today, cause="sensitive.ended", book=book
        )
    await audit.write(
        session,
        actor=Actor("system", "jobs"),
        action=action,
        purpose=one.purpose,
        outcome="done",
        owner=one.citizen_id,
    )

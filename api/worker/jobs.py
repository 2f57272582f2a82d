"""What happens without being asked: expiry, sweeping, clocks that run out; beside it log, rehearsals, the daily pass.

Every job is idempotent and works in transactions of its own, so that a process killed in the middle loses nothing; one
process at a time does the work (an advisory lock), others stand by. What takes long has a loop of its own: nobody's
erasure waits for the pass over everyone.
"""

import asyncio
from datetime import date

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api import channels
from api.deps import House
from api.public import measures, statistics
from api.releases import rehearsing
from api.worker import histories, lapses, nightly, peers, rotation, sealing, sending, watching
from core import audit, clock, pgerrors, workdays
from core.errors import Unavailable
from incentives.credentials import lists
from incentives.orders import rounds
from scoring import retention
from scoring.rights import verdicts

_PAUSE_SECONDS = 20
_LOCK = 0x05A4
_CHUNK = 500
_log = structlog.get_logger("osmanthus.jobs")

_SWEEPS = (
    "delete from incentives.credit_code_use u where u.at < now() - interval '3 days'",
    "delete from incentives.credit_code c where c.expires_at < now() - interval '3 days'",
    "select incentives.forget_rides(100000)",
    "select incentives.forget_plates()",
    "delete from incentives.decision where at < now() - interval '30 days'",
    "delete from incentives.presentation where expires_at < now() - interval '1 day'",
    "delete from incentives.shown_copy where until < now()",
    "delete from incentives.credential_offer where expires_at < now() - interval '1 day'",
    "delete from incentives.credential_copy where until < now() - interval '1 day'",
    "delete from incentives.status_list where closed_at < now() - interval '40 days'",
    "delete from auth.code_use where at < now() - interval '1 day'",
    "delete from auth.code where expires_at < now() - interval '1 day'",
    "delete from auth.token where expires_at < now() - interval '1 day'",
    "delete from incentives.counter where ends_at < now() - interval '30 days'",
    "delete from auth.seat where ends_at < now() - interval '30 days'",
    "delete from auth.refresh where least(ended_at, expires_at) < now() - interval '30 days'",
    "delete from auth.session where expires_at < now() - interval '1 day'",
    "delete from auth.spoken_code where expires_at < now() - interval '1 day'",
    "delete from auth.assisted where expires_at < now() - interval '1 day'",
    "delete from core.idempotency where created_at < now() - interval '7 days'",
    "delete from core.erasure where at < core.civil_now() - interval '3 years'",
    "delete from scoring.career_record where keep_until <= (core.civil_now() at time zone 'Asia/Shanghai')::date",
    "delete from scoring.report where least(expires_at, revoked_at) < core.civil_now() - interval '30 days'",
    "delete from auth.source_subject where left_at < now() - interval '30 days'",
    "delete from scoring.feed_count where day < core.civil_now()::date - 760",
)


async def run(house: House) -> None:
    """Seal the log, rehearse what is asked for, see to the daily pass, send and do the rounds until cancelled."""
    works = (
        sealing.run(house),
        rehearsing.attend(house),
        nightly.attend(house),
        sending.run(house),
        _rounds(house),
    )
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _rounds(house: House) -> None:
    """A round every so often; a database that is away, or a rule book that is not published yet, is waited for."""
    done: date | None = None
    while True:
        try:
            done = await once(house, done)
        except Exception as error:
            if not (isinstance(error, Unavailable) or pgerrors.is_unavailable(error)):
                raise
            _log.warning("waiting", kind=type(error).__name__)
        await asyncio.sleep(_PAUSE_SECONDS)


async def _alone(session: AsyncSession) -> bool:
    """Whether no other process does the rounds, until this transaction ends."""
    return bool(await session.scalar(text(f"select pg_try_advisory_xact_lock({_LOCK})")))


async def once(house: House, done: date | None = None) -> date | None:
    """One round; `done` is the day whose daily chores this process has done. Returns it anew."""
    async with house.doors.work("jobs") as session:  # brief: what ends by date is told on the day that it says
        if not await _alone(session):
            return done
        await lapses.keep(session, house)
    async with house.doors.work("jobs") as session:
        if not await _alone(session):
            return done
        await retention.sweep(session, house.ring)
        await workdays.load_published(session)
        await audit.sweep(session, most=_CHUNK)
        for statement in _SWEEPS:
            await session.execute(text(statement))
    await verdicts.keep(house.doors)
    await rounds.keep(house.doors)
    await lapses.outdate(house)
    await house.short.sweep()
    await sending.keep(house)
    await channels.keep(house)
    await peers.keep(house)
    await rotation.turn(house)
    await histories.turn(house)
    today = clock.today()
    if done != today:
        await statistics.keep(house)
        await measures.keep(house)
        await lists.look(house.doors)
        await watching.look(house)
    return today

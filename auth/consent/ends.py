"""Ends that nobody asks for: the last day is over, or a wider notice is in force.

Read by the jobs. What stood on such a consent stays unused for the grace and then goes; `scoring.retention` erases it.
"""

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import ledger, rows
from auth.consent.events import BY_CLOCK
from auth.consent.rows import Consent
from auth.consent.tables import consent_event
from auth.tables import consent, consent_end
from core.keys import Keyring

_LIVES = consent_end.c.consent_id.is_(None) & ~consent.c.one_use


async def expire(session: AsyncSession, ring: Keyring, *, limit: int) -> list[Consent]:
    """End up to `limit` consents that are past their day, and take their people out of every source's feed.

    One-use consents are left as they are: they died by the clock, nothing stands on them, and there are many.
    """
    over = _LIVES & (consent.c.expires_at <= func.core.civil_now())
    return await _end(session, ring, over, "expired", limit)


async def outdate(session: AsyncSession, ring: Keyring, *, notice: str, version: int, limit: int) -> list[Consent]:
    """End up to `limit` consents that were given under an older notice than `version`, which widens what is done.

    `notice` is the notice's own purpose: `share` explains every `share:<partner>/<perk>`. PIPL article 14: another
    purpose, another method or other kinds of data need a new consent.
    """
    explained = (consent.c.purpose == notice) | consent.c.purpose.startswith(f"{notice}:", autoescape=True)
    old = _LIVES & explained & (consent.c.notice_version < version)
    return await _end(session, ring, old, "outdated", limit)


async def lapsed(session: AsyncSession, *, days: int, limit: int) -> list[Consent]:
    """Up to `limit` consents that ended by themselves more than `days` ago and that nobody renewed or erased since.

    Those to points are not among them: `scoring.retention` sweeps what stands on them and notes it.
    """
    noted = select(consent_event.c.id).where(
        consent_event.c.consent_id == consent.c.id, consent_event.c.state.in_(("erased", "superseded"))
    )
    over = consent_end.c.reason.in_(("expired", "outdated")) & (consent.c.purpose != "score")
    since = consent_end.c.at < func.core.civil_now() - timedelta(days=days)
    query = rows.everything().where(over, since, ~noted.exists()).order_by(consent.c.id).limit(limit)
    return await rows.read(session, query)


async def _end(session: AsyncSession, ring: Keyring, which: object, reason: str, limit: int) -> list[Consent]:
    query = rows.everything().where(which).order_by(consent.c.id).limit(limit)  # pyright: ignore[reportArgumentType]  (its stub)
    ended = await rows.read(session, query)
    for one in ended:
        await ledger.end(session, ring, one, reason, act=BY_CLOCK)
    return ended

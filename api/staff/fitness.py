"""May this draft be approved now? Rehearsed, seen, fresh, and far enough ahead for everybody to hear of it.

An empty city rehearses nothing: there is nobody to change anything for. For everything else the approver names the
digest of the report that they saw; it must be of exactly these bytes against exactly what rules beside them today.
"""

import uuid
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.deps import House
from api.releases import drafts
from core import clock, releases
from core.errors import Conflict
from core.releases import Release
from scoring.rehearsal import desk


class RehearsalNeeded(Conflict):
    """Nobody may approve what was not rehearsed, or what they did not see."""

    code = "rehearsal_needed"
    title = "A rehearsal of exactly this draft must be seen first"


class RehearsalStale(Conflict):
    """The rehearsal is too old, or something else rules by now."""

    code = "rehearsal_stale"
    title = "The rehearsal does not hold any more"


class TooSoon(Conflict):
    """Citizens must hear of it before."""

    code = "too_soon"
    title = "The day is too near for everybody to hear of it"


async def must_be_rehearsed(session: AsyncSession, house: House, *, release_id: uuid.UUID, named: str | None) -> None:
    """Raise NotFound, RehearsalNeeded, RehearsalStale or TooSoon unless a draft may be approved now.

    `named` is the SHA-256 (hex) of the report that the approver saw.
    """
    drafted = await releases.get(session, release_id=release_id)
    if drafted.approved_at is not None or drafted.withdrawn_at is not None or drafted.kind not in drafts.KINDS:
        return
    if not await session.scalar(text("select scoring.inhabited()")):
        return
    held = await drafts.before(session, drafted)
    if held.one("scorecard") is None or held.one("catalogue") is None:
        return
    await _must_be_seen(session, house, drafted, named, desk.rule_book(held.others))
    if drafts.changed(drafted, held)[1]:
        _must_be_heard_of(house, drafted)


async def _must_be_seen(session: AsyncSession, house: House, drafted: Release, named: str | None, against: str) -> None:
    done = [one for one in await desk.of_release(session, release_id=drafted.id) if one.state == "done"]
    seen = [one for one in done if one.report_digest == named and one.digest == drafted.digest]
    if not seen:
        detail = (
            "POST /v1/staff/releases/{id}/rehearsals, read the report, and name its `report_digest` as `rehearsal`."
        )
        raise RehearsalNeeded(detail)
    if seen[0].against != against:
        raise RehearsalStale("What rules beside this draft has changed since. Rehearse it again.")
    oldest = clock.wall() - timedelta(days=house.settings.rehearsal_days)
    if seen[0].made_at is None or seen[0].made_at < oldest:
        detail = f"It is older than {house.settings.rehearsal_days} days. Rehearse it again."
        raise RehearsalStale(detail)


def _must_be_heard_of(house: House, drafted: Release) -> None:
    earliest = clock.today() + timedelta(days=house.settings.notice_days)
    if drafted.effective_on < earliest:
        detail = (
            f"It may lower somebody's points or perks, so everybody is told {house.settings.notice_days} days before. "
            f"Withdraw it and draft it for {earliest} or later."
        )
        raise TooSoon(detail)

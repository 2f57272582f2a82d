"""The notice in force behind a purpose.

What was not shown in its present words cannot be agreed to (PIPL article 14).
"""

from sqlalchemy.ext.asyncio import AsyncSession

from auth import notices
from auth.consent.ledger import NoticeOutdated
from core import clock, releases
from core.errors import Invalid, Problem
from core.releases import Release


class NoNotice(Problem):
    """No notice for this purpose has been published yet."""

    code = "no_notice_in_force"
    status = 503
    title = "The credit office has not published this notice yet"
    retryable = True


class PurposeNotOffered(Invalid):
    """The purpose is not one that this city asks consent for."""

    code = "purpose_not_offered"
    title = "This purpose is not offered"


def notice_name(purpose: str) -> str:
    """The notice that explains a purpose: `share:<partner>/<perk>` is explained by `share`."""
    name = purpose.partition(":")[0]
    if name not in {"score", "share"}:
        detail = "Offered are: score, share:<partner>/<perk>."
        raise PurposeNotOffered(detail)
    return name


async def in_force(session: AsyncSession, purpose: str) -> notices.Notice:
    """The parsed notice in force for `purpose`. Raises PurposeNotOffered, NoNotice."""
    name = notice_name(purpose)
    for release in await releases.in_force(session, on=clock.today(), kind="notice"):
        notice = parse(release)
        if notice.purpose == name:
            return notice
    raise NoNotice


def parse(release: Release) -> notices.Notice:
    """The notice in a release's text."""
    return notices.load(release.body, release.name)


def must_be_shown(notice: notices.Notice, *, version: int, digest: str) -> None:
    """Raise NoticeOutdated unless exactly this text was shown."""
    if (version, digest) != (notice.version, notice.digest):
        detail = "Show the notice in force, then ask again: GET /v1/rules/notices/{purpose}/{version}."
        raise NoticeOutdated(detail)

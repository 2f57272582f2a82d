"""The notice in force behind a purpose.

What was not shown in its present words cannot be agreed to (PIPL article 14).
"""

import re
from datetime import date
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncSession

from auth import notices
from auth.consent.ledger import NoticeOutdated
from core import clock, releases
from core.errors import Invalid, Problem

OFFERED = "score, sensitive:<kind>, share:<partner>/<perk>, recognise:<city>, occupational-report"
_PLAIN, _NAMED = {"score", "occupational-report"}, {"share", "recognise"}
_KIND = re.compile(r"[A-Z]\d{2}")


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
    """The notice that explains a purpose: one for each sensitive kind, one for all recipients of `share`."""
    name, _, rest = purpose.partition(":")
    if name == "sensitive" and _KIND.fullmatch(rest):
        return purpose
    if (name in _PLAIN and not rest) or (name in _NAMED and rest):
        return name
    detail = f"Offered are: {OFFERED}."
    raise PurposeNotOffered(detail)


async def in_force(session: AsyncSession, purpose: str) -> notices.Notice:
    """The notice in force for `purpose`: the highest version whose day has come. Raises PurposeNotOffered, NoNotice."""
    name = notice_name(purpose)
    found = [one for one in await all_in_force(session) if one.purpose == name]
    if not found:
        raise NoNotice
    return max(found, key=lambda one: one.version)


async def all_in_force(session: AsyncSession) -> list[notices.Notice]:
    """Every notice whose day has come, older versions too."""
    return [_parse(one.body, one.name) for one in await releases.in_force(session, on=clock.today(), kind="notice")]


async def since(session: AsyncSession, day: date) -> list[notices.Notice]:
    """Those of them whose day is not before `day`."""
    found = await releases.in_force(session, on=clock.today(), kind="notice")
    return [_parse(one.body, one.name) for one in found if one.effective_on >= day]


async def of_version(session: AsyncSession, purpose: str, version: int) -> notices.Notice:
    """The notice that a consent was given under, or the one in force when that was never published."""
    name = notice_name(purpose)
    for one in await all_in_force(session):
        if (one.purpose, one.version) == (name, version):
            return one
    return await in_force(session, purpose)


@lru_cache(maxsize=64)
def _parse(body: str, name: str) -> notices.Notice:
    return notices.load(body, name)


def must_be_shown(notice: notices.Notice, *, version: int, digest: str) -> None:
    """Raise NoticeOutdated unless exactly this text was shown."""
    if (version, digest) != (notice.version, notice.digest):
        detail = "Show the notice in force, then ask again: GET /v1/rules/notices/{purpose}/{version}."
        raise NoticeOutdated(detail)

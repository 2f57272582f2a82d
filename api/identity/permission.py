"""A partner's request for a standing consent: what the citizen is shown, and what a yes records.

Promises: the page names who asks and how to reach them, the one thing that they will learn, for what, how often and
until when, what they keep and for how long, what happens without a yes, and how to take it back, beside the notice in
force (PIPL articles 14, 17 and 23). A yes needs its own tick; a no needs nothing. The citizen may choose an earlier
end. The consent and the code that stands for it are one transaction.
"""

from collections.abc import Mapping
from datetime import date

import msgspec
from litestar import Response
from sqlalchemy.ext.asyncio import AsyncSession

from api import problems
from api.citizen import agreement, notices
from api.citizen.agreement import Give
from api.deps import House, HttpRequest
from api.pages import frame
from api.pages.notice import notice_html
from auth import authorize, citizens, clients, details
from auth.authorize import Consented
from auth.consent import asking, ledger, terms
from auth.consent.events import Act
from auth.par import Pushed
from auth.sessions import Session
from core import clock, months
from core.errors import Malformed
from incentives import rulebook
from incentives.book.perks import Perk

_SHORTER = (1, 3, 6)
_EVERY = {"P1D": "每天", "P7D": "每7天", "P30D": "每30天"}


class NotTicked(Malformed):
    """A yes to a partner without the tick of its own that the law asks for."""

    code = "separate_consent_missing"
    title = "This consent needs a tick of its own"


def purpose_of(pushed: Pushed, asked: details.Eligibility) -> str:
    """The purpose of the consent that is asked for."""
    return f"share:{pushed.client_id}/{asked.perk}"


async def on_offer(session: AsyncSession, asked: details.Eligibility) -> Perk | None:
    """The perk in force that is asked for, None when there is none or it is closed."""
    try:
        found = await rulebook.find(session, perk_id=asked.perk, on=clock.today())
    except rulebook.PerkNotOffered:
        return None
    return None if found.perk.closed else found.perk


async def show(  # noqa: PLR0913  (what the page is made of)
    request: HttpRequest,
    house: House,
    citizen: Session,
    client: clients.Client,
    *,
    pushed: Pushed,
    asked: details.Eligibility,
    request_uri: str,
    origin: str,
    tick_missing: bool = False,
) -> Response[str] | None:
    """The page that asks; None when the perk has ended since the request was pushed."""
    async with house.doors.work("citizen", proof=citizen.hash) as session:
        perk = await on_offer(session, asked)
        profile = await citizens.profile(session, house.ring, citizen.citizen_id)
        notice = await notices.in_force(session, purpose := purpose_of(pushed, asked))
        quiet_until = await asking.ask_again_on(session, citizen_id=citizen.citizen_id, purpose=purpose)
    if perk is None:
        return None
    return frame.page(
        request,
        "authorize_share.html",
        status=400 if tick_missing else 200,
        tick_missing=tick_missing,
        adult=clock.today() >= terms.adult_on(profile.birth_date),
        client=client,
        quiet_until=quiet_until,
        perk=perk,
        asked=asked,
        often=_often(asked),
        choices=_choices(asked.last_day),
        notice=notice,
        notice_html=notice_html(notice),
        controller=house.settings.controller,
        contact=house.settings.contact,
        origin=origin,
        request_uri=request_uri,
        csrf=citizen.csrf,
    )


def _often(asked: details.Eligibility) -> str:
    """How often the partner may ask, in words; empty when it did not say."""
    return "" if asked.frequency is msgspec.UNSET else f"{_EVERY[asked.frequency.per]}最多{asked.frequency.max}次"


def _choices(last: date) -> list[date]:
    """The ends that a citizen can choose from, the latest first."""
    return [last, *sorted((day for n in _SHORTER if (day := months.shift(clock.today(), n)) < last), reverse=True)]


async def allow(
    session: AsyncSession,
    house: House,
    citizen: Session,
    *,
    pushed: Pushed,
    asked: details.Eligibility,
    form: Mapping[str, str],
) -> str:
    """Record the consent in the form; the code that stands for it. Raises NotTicked, and what `agreement` raises."""
    if form.get("separate") != "yes":
        raise NotTicked("Tick that you agree to this recipient and this purpose.")
    act = Act(channel="partner", acr=citizen.acr, auth_time=citizen.auth_time, evidence={"ticks": ["separate"]})
    wanted = _give(pushed, asked, form)
    given = await agreement.record(session, house, citizen_id=citizen.citizen_id, asked=wanted, act=act)
    if given.subject is None:
        raise ValueError("a consent to share has a pairwise subject")
    granted = details.granted(asked, subject=given.subject, until=given.expires_at)
    return await authorize.give_code(
        session,
        pushed,
        citizen_id=citizen.citizen_id,
        acr=citizen.acr,
        auth_time=citizen.auth_time,
        consented=Consented(given.id, granted),
    )


async def deny(house: House, citizen: Session, *, pushed: Pushed, asked: details.Eligibility) -> None:
    """Note the no, so that nobody asks for this again for 90 days; one said in the quiet time does not prolong it.

    Nothing is noted of somebody under 18, and a consent that lives stays: it is withdrawn at its own place.
    """
    purpose, who = purpose_of(pushed, asked), citizen.citizen_id
    async with house.doors.work("citizen", proof=citizen.hash) as session:
        profile = await citizens.profile(session, house.ring, who)
        lives = await ledger.live(session, citizen_id=who, purpose=purpose) is not None
        minor = clock.today() < terms.adult_on(profile.birth_date)
        if not (lives or minor) and await asking.may_ask(session, citizen_id=who, purpose=purpose):
            act = Act(channel="partner", acr=citizen.acr, auth_time=citizen.auth_time)
            await asking.refuse(session, citizen_id=who, purpose=purpose, act=act)


def _give(pushed: Pushed, asked: details.Eligibility, form: Mapping[str, str]) -> Give:
    """The consent in a form, never for longer than was asked. Raises Invalid for a form that no page of ours made."""
    said = {
        "purpose": purpose_of(pushed, asked),
        "screen": "authorize_share.html",
        "notice": {"version": form.get("version"), "digest": form.get("digest")},
        "expires_on": form.get("expires_on"),
    }
    try:
        read = msgspec.convert(said, Give, strict=False)
    except msgspec.ValidationError as error:
        raise problems.invalid(error) from error
    return msgspec.structs.replace(read, expires_on=min(read.expires_on, asked.last_day))

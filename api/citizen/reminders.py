"""`/v1/me/reminders` and `/v1/me/refusals`: what is about to end, and what the citizen does not want to be asked.

A reminder is written once, 30, 7 and 1 days before the end, and stays until the consent is renewed. Refusing keeps us
from asking for 90 days; it changes no consent.
"""

from datetime import date, datetime

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import consents, notices, waiting
from api.citizen.door import behind
from api.deps import House
from auth.consent import asking, events, ledger, terms
from auth.consent.asking import Refused
from auth.consent.rows import Consent
from core import clock, ids
from core.errors import Conflict
from scoring.rights import reminding
from scoring.rights.inforce import NoRightsInForce
from scoring.rulebook import NoScorecardInForce
from scoring.standing import NotEnrolled

_RENEW = "/consents"


class ConsentLives(Conflict):
    """There is a consent for this purpose, so a no is a withdrawal."""

    code = "consent_lives"
    title = "This consent is in force"


class Reminder(msgspec.Struct, frozen=True):
    """One consent that ends soon, or has ended and waits.

    `why`: ends (after `expires_on`), ended or outdated (stored unused; erased on `erased_on` unless renewed).
    """

    consent: str
    purpose: str
    why: str
    text: str
    sent_at: datetime
    expires_on: date
    erased_on: date | None
    renew_at: str


class Due(msgspec.Struct, frozen=True):
    """Something about one's rights. `about` is a record, commitment or declaration.

    `why`: repairable_soon, repairable, ended, commitment_due, commitment_overdue, unverified.
    """

    about: str
    why: str
    on: date
    text: str


class Reminders(msgspec.Struct, frozen=True):
    """What ends soon or waits, the latest reminder first; and what can be done about records and promises, by day."""

    reminders: list[Reminder]
    rights: list[Due]


class Refuse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which purpose the citizen does not want to be asked."""

    purpose: str


class Refusals(msgspec.Struct, frozen=True):
    """The purposes that the citizen is not asked for now."""

    refusals: list[Refused]


@get("/v1/me/reminders", summary="What ends soon", tags=["citizen"])
async def see(
    session: NamedDependency[AsyncSession], house: NamedDependency[House], caller: NamedDependency[guards.Citizen]
) -> Reminders:
    """The caller's consents that end within 30 days or can still be renewed, and what can be done about records.

    Deductions that can be repaired soon or now or that ended, promises whose day is near, unverified declarations.
    """
    return Reminders(await reminders(session, caller), await _rights(session, house, caller))


async def _rights(session: AsyncSession, house: House, caller: guards.Citizen) -> list[Due]:
    """Nothing for who takes no part, or before the rules are published."""
    try:
        found = await reminding.of(session, house.ring, citizen_id=caller.id, today=clock.today())
    except (NotEnrolled, NoRightsInForce, NoScorecardInForce):
        return []
    return [Due(ids.show(one.prefix, one.about), one.why, one.on, one.text) for one in found]


async def reminders(session: AsyncSession, caller: guards.Citizen) -> list[Reminder]:
    """What to remind a citizen of."""
    mine = await ledger.of(session, citizen_id=caller.id)
    told = await events.of(session, [one.id for one in mine])
    found = [_over(one) for one in mine if one.waits]
    for one in mine:
        sent = [event for event in told.get(one.id, ()) if event.state == "reminded"]
        if one.state == "given" and sent:
            found.append(_ends(one, sent[-1].at))
    return sorted(found, key=lambda each: each.sent_at, reverse=True)


@get("/v1/me/refusals", summary="What I am not asked for", tags=["citizen"])
async def refused(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]) -> Refusals:
    """Each purpose that the caller refused within the last 90 days, and from when on it may be asked for again."""
    return Refusals(await asking.quiet(session, citizen_id=caller.id))


@post("/v1/me/refusals", summary="Do not ask me for this", tags=["citizen"])
async def refuse(
    data: JSONBody[Refuse], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> Refused:
    """Say no to a purpose: nobody asks for it for 90 days. The caller may still give the consent unasked."""
    notices.notice_name(data.purpose)
    await ledger.turn(session, citizen_id=caller.id)
    if await ledger.live(session, citizen_id=caller.id, purpose=data.purpose) is not None:
        detail = "Withdraw the consent instead: DELETE /v1/me/consents/{id}."
        raise ConsentLives(detail)
    return await asking.refuse(session, citizen_id=caller.id, purpose=data.purpose, act=consents.act(caller))


def _ends(one: Consent, sent_at: datetime) -> Reminder:
    last = terms.last_day(one.expires_at)
    text = f"这份同意到{last}为止。不续期，次日起停止使用，再过30天删除；续期请重新同意。"
    return Reminder(ids.show("co", one.id), one.purpose, "ends", text, sent_at, last, None, _RENEW)


def _over(one: Consent) -> Reminder:
    until = waiting.erased_on(one)
    over = one.ended_at or one.expires_at
    why = "ended" if one.state == "expired" else "outdated"
    said = "已经到期" if why == "ended" else "因告知书扩大了处理范围而停止"
    text = f"这份同意{said}，相关信息已停止使用。在{until}之前重新同意即可恢复，否则到期删除。"
    return Reminder(ids.show("co", one.id), one.purpose, why, text, over, terms.last_day(one.expires_at), until, _RENEW)


handlers = [behind([see, refused, refuse])]

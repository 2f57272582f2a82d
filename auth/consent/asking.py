"""When a citizen may be asked: not for 90 days after a no (网络数据安全管理条例, article 22: no nagging).

A refusal is about one purpose alone: one partner and one perk, one kind of record, one city. It stops us from asking,
never the citizen from agreeing: whoever gives the consent of their own accord may be asked again from then on.
"""

import uuid
from datetime import date, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import events
from auth.consent.events import BY_CITIZEN, Act
from auth.consent.tables import consent_event
from core import clock

QUIET_DAYS = 90
_ANSWERS = ("given", "renewed", "refused")


class Refused(msgspec.Struct, frozen=True):
    """A no: nobody asks for this purpose before `ask_again_on`."""

    purpose: str
    refused_on: date
    ask_again_on: date


async def refuse(session: AsyncSession, *, citizen_id: uuid.UUID, purpose: str, act: Act = BY_CITIZEN) -> Refused:
    """Note that the citizen said no; a second no counts from its own day."""
    now = clock.civil()
    await events.append(session, events.new(citizen_id, purpose, "refused", at=now, act=act))
    return _refused(purpose, clock.day_of(now))


async def quiet(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Refused]:
    """The purposes that this citizen is not asked for now, by purpose."""
    answers = (
        select(consent_event.c.purpose, consent_event.c.state, consent_event.c.at)
        .ext(distinct_on(consent_event.c.purpose))
        .where(consent_event.c.citizen_id == citizen_id, consent_event.c.state.in_(_ANSWERS))
        .order_by(consent_event.c.purpose, consent_event.c.id.desc())
    )
    found = [
        _refused(row.purpose, clock.day_of(row.at)) for row in await session.execute(answers) if row.state == "refused"
    ]
    return [one for one in found if clock.today() < one.ask_again_on]


async def ask_again_on(session: AsyncSession, *, citizen_id: uuid.UUID, purpose: str) -> date | None:
    """The first day on which this citizen may be asked for a purpose again; None when that is now."""
    return next(
        (one.ask_again_on for one in await quiet(session, citizen_id=citizen_id) if one.purpose == purpose), None
    )


async def may_ask(session: AsyncSession, *, citizen_id: uuid.UUID, purpose: str) -> bool:
    """Whether we may ask this citizen for a purpose, of our own accord or a partner's."""
    return await ask_again_on(session, citizen_id=citizen_id, purpose=purpose) is None


def _refused(purpose: str, day: date) -> Refused:
    return Refused(purpose, day, day + timedelta(days=QUIET_DAYS))

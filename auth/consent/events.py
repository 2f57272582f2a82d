"""What happened to consents, each change a row that is written once: given, dropped, ended, erased, reminded, refused.

An event says who acted, by which channel, how well they had proved themselves and what they saw. Where the state
changed it holds the record as of then, signed. Nothing here ends a consent: `auth.consent.ledger` does, and notes it.
"""

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent.tables import consent_event
from core import ids


class Act(msgspec.Struct, frozen=True):
    """How an act reached us.

    `actor`: citizen, system, `staff:<client>/<clerk>` or `proxy:<id>`. `channel`: page, app, counter, partner or
    system. `acr` and `auth_time`: how well and when the citizen had proved who they are. `evidence`: what they saw.
    """

    actor: str = "citizen"
    channel: str = "app"
    acr: int | None = None
    auth_time: datetime | None = None
    evidence: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])


BY_CITIZEN = Act()
BY_CLOCK = Act(actor="system", channel="system")


class Event(msgspec.Struct, frozen=True):
    """One change. `about`: the source that was dropped, or the days before the end that a reminder was for."""

    id: uuid.UUID
    consent_id: uuid.UUID | None
    citizen_id: uuid.UUID
    purpose: str
    state: str
    about: str
    at: datetime
    actor: str
    channel: str
    acr: int | None
    auth_time: datetime | None
    evidence: dict[str, Any]
    receipt: str | None


def new(
    citizen_id: uuid.UUID,
    purpose: str,
    state: str,
    *,
    at: datetime,
    act: Act,
    consent_id: uuid.UUID | None = None,
    about: str = "",
) -> Event:
    """An event that is not written yet."""
    evidence = dict(act.evidence)
    return Event(
        id=ids.new(),
        consent_id=consent_id,
        citizen_id=citizen_id,
        purpose=purpose,
        state=state,
        about=about,
        at=at,
        actor=act.actor,
        channel=act.channel,
        acr=act.acr,
        auth_time=act.auth_time,
        evidence=evidence,
        receipt=None,
    )


async def append(session: AsyncSession, event: Event) -> bool:
    """Write an event; False when it is one that happens once and has happened."""
    wanted = insert(consent_event).values(**msgspec.structs.asdict(event)).on_conflict_do_nothing()
    return await session.scalar(wanted.returning(consent_event.c.id)) is not None


async def of(session: AsyncSession, consent_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Event]]:
    """The events of each consent, in order; a consent without any is absent."""
    query = select(consent_event).where(consent_event.c.consent_id.in_(list(consent_ids))).order_by(consent_event.c.id)
    found: dict[uuid.UUID, list[Event]] = {}
    for row in (await session.execute(query)).mappings():
        found.setdefault(row["consent_id"], []).append(Event(**row))
    return found

"""Consents as they are read: the row that was written when one was given, its end, and its events.

States: given, withdrawn, expired, outdated (its notice was replaced by a wider one), superseded. An expired or outdated
consent whose data was not erased yet waits: nothing uses it, and a renewal restores it.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import events, receipts
from auth.consent.events import Event
from auth.consent.record import Additions, Processing, Record, compose
from auth.consent.record import Event as RecordEvent
from auth.tables import consent, consent_end, consent_source_end
from core import clock, ids
from core.keys import Keyring

_ENDS = {"withdrawn", "expired", "outdated", "superseded", "erased"}
_SILENT = {"reminded", "told"}
_SEPARATE = ("sensitive", "share", "recognise", "occupational-report")


class Consent(msgspec.Struct, frozen=True):
    """One consent as its citizen sees it; `receipt` is the newest, `happened` every event but reminders."""

    id: uuid.UUID
    citizen_id: uuid.UUID
    purpose: str
    one_use: bool
    notice_version: int
    notice_digest: str
    sources: tuple[str, ...]
    subject: uuid.UUID | None
    given_at: datetime
    expires_at: datetime
    receipt: str = ""
    state: str = "given"
    ended_at: datetime | None = None
    erased_at: datetime | None = None
    receipts: tuple[tuple[str, datetime, str], ...] = ()
    happened: tuple[Event, ...] = ()
    processing: Processing | None = None

    @property
    def waits(self) -> bool:
        """Whether it is stored unused: renewing restores what stands on it."""
        return self.state in {"expired", "outdated"} and self.erased_at is None


def everything() -> Select[Any]:
    """Consents with their end, if any."""
    return select(consent, consent_end.c.reason, consent_end.c.at.label("ended_at")).outerjoin(
        consent_end, consent_end.c.consent_id == consent.c.id
    )


async def read(session: AsyncSession, query: Select[Any]) -> list[Consent]:
    """The consents that a query over `everything` finds."""
    rows = (await session.execute(query)).all()
    if not rows:
        return []
    found = [row.id for row in rows]
    happened = await events.of(session, found)
    dropped: dict[uuid.UUID, set[str]] = {}
    gone = select(consent_source_end).where(consent_source_end.c.consent_id.in_(found))
    for each in await session.execute(gone):
        dropped.setdefault(each.consent_id, set()).add(each.source)
    return [_read(row, dropped.get(row.id, set()), happened.get(row.id, [])) for row in rows]


def _read(row: Row[Any], dropped: set[str], happened: Sequence[Event]) -> Consent:
    instants = {event.state: event.at for event in happened}
    state = row.reason or ("given" if row.expires_at > clock.civil() else "expired")
    if "superseded" in instants:
        state = "superseded"
    first = "renewed" if "renewed" in instants else "given"
    signed = [(first, row.given_at, row.receipt)]
    signed += [(event.state, event.at, event.receipt) for event in happened if event.receipt]
    return Consent(
        id=row.id,
        citizen_id=row.citizen_id,
        purpose=row.purpose,
        one_use=row.one_use,
        notice_version=row.notice_version,
        notice_digest=row.notice_digest,
        sources=tuple(source for source in row.sources if source not in dropped),
        subject=row.subject,
        given_at=row.given_at,
        expires_at=row.expires_at,
        receipt=signed[-1][2],
        state=state,
        ended_at=row.ended_at,
        erased_at=instants.get("erased"),
        receipts=tuple(signed),
        happened=tuple(event for event in happened if event.state not in _SILENT),
        processing=None if row.processing is None else msgspec.convert(row.processing, Processing),
    )


def signed(ring: Keyring, one: Consent, *, at: datetime) -> str | None:
    """The receipt of a consent as of its last event; None for the one use of a code, whose receipt is the partner's."""
    return None if one.processing is None else receipts.sign(ring, record_of(one, one.processing), at=at)


def record_of(one: Consent, processing: Processing) -> Record:
    """The whole record of a consent, as of its last event."""
    principal = ids.show("su", one.subject) if one.subject else processing.pii_principal_id
    return compose(
        ids.show("co", one.id),
        processing,
        tuple(_event(event, one, principal, processing) for event in one.happened),
        principal=principal,
        additions=_additions(one),
    )


async def note(session: AsyncSession, ring: Keyring, one: Consent, event: Event) -> None:
    """Append an event of a consent, with the record as of now, signed."""
    now = msgspec.structs.replace(one, happened=(*one.happened, event))
    await events.append(session, msgspec.structs.replace(event, receipt=signed(ring, now, at=event.at)))


def _event(event: Event, one: Consent, principal: str, processing: Processing) -> RecordEvent:
    ours = processing.pii_controllers[0]
    days = 0 if event.state in _ENDS else max(0, (one.expires_at - event.at).days)
    return RecordEvent(
        event_time=event.at,
        validity_duration=f"P{days}D",
        entity_id=ours if event.actor == "system" else principal,
        event_type="separate" if one.purpose.startswith(_SEPARATE) else "explicit",
        event_state=event.state,
        about=event.about or UNSET,
    )


def _additions(one: Consent) -> Additions | UnsetType:
    given = next((event for event in one.happened if event.state in {"given", "renewed"}), None)
    if given is None:
        return UNSET
    older = given.evidence.get("supersedes")
    return Additions(
        channel=given.channel,
        acr=given.acr,
        auth_time=given.auth_time,
        ui_evidence={name: value for name, value in given.evidence.items() if name != "supersedes"},
        sources=one.sources,
        supersedes=older,
    )

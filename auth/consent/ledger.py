"""The consent ledger: what a citizen allowed, to whom, for what, until when.

Append-only: giving writes one row, ending writes one row elsewhere, and every change leaves an event with a signed
receipt of the whole record. A consent lives while it has no end and has not expired, and every reader joins that at use
(`auth.live_consent`), so an end takes effect with the next statement at every door. PIPL articles 13-17, 23, 29;
国办发〔2020〕49号 forbids consent for life, hence at most twelve months.
Not promised here: erasure of what was built on a consent; the front of house calls the rooms that hold it.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import events, rows, subjects, terms
from auth.consent.events import BY_CITIZEN, BY_CLOCK, Act, Event
from auth.consent.record import Processing
from auth.consent.rows import Consent
from auth.tables import consent, consent_end, consent_source_end
from core import clock, ids
from core.errors import Conflict, NotFound
from core.keys import Keyring


class NoticeOutdated(Conflict):
    """The notice that was shown is not the one in force."""

    code = "notice_outdated"
    title = "The notice has changed"


class CoreSource(Conflict):
    """A core source is taken or refused whole."""

    code = "core_source"
    title = "This source is part of the core"


class Ended(Conflict):
    """The consent has ended already."""

    code = "consent_ended"
    title = "This consent has ended"


async def turn(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """Wait until no other transaction changes this citizen's consents, and hold others off until this one ends.

    What two taps at once decide is then decided one after the other: one consent a purpose lives, and a withdrawal
    sees every other. A second call in the same transaction costs nothing.
    """
    key = func.hashtextextended(f"auth.consent|{citizen_id}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


async def give(  # noqa: PLR0913  what a consent is made of
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_id: uuid.UUID,
    purpose: str,
    notice_version: int,
    notice_digest: str,
    expires_on: date,
    processing: Processing,
    source_digests: Mapping[str, bytes] | None = None,
    named: Iterable[str] = (),
    shared: bool = False,
    act: Act = BY_CITIZEN,
) -> Consent:
    """Record a consent that the citizen has just given; an older one for the same purpose is superseded.

    `processing`: what was agreed to. `source_digests`: per source named, the person's digest agreed with that source;
    None when the purpose takes nothing from sources. `named`: sources that the room above lets send. `shared` gives the
    recipient a random pairwise subject. Raises Invalid for a wrong expiry.
    """
    await turn(session, citizen_id=citizen_id)
    older = [one for one in await _of(session, citizen_id, purpose) if one.state == "given" or one.waits]
    made = Consent(
        id=ids.new(),
        citizen_id=citizen_id,
        purpose=purpose,
        one_use=False,
        notice_version=notice_version,
        notice_digest=notice_digest,
        sources=tuple(sorted({*(source_digests or ()), *named})),
        subject=ids.random() if shared else None,
        given_at=clock.civil(),
        expires_at=terms.expiry(expires_on),
        processing=processing,
    )
    await _begin(session, ring, made, older, act)
    if source_digests is not None:
        await subjects.name(session, source_digests, citizen_id=citizen_id, consent_id=made.id)
    return await get(session, citizen_id=citizen_id, consent_id=made.id)


async def _begin(session: AsyncSession, ring: Keyring, made: Consent, older: Sequence[Consent], act: Act) -> None:
    """Write a new consent with its first event and receipt, and end those that it takes the place of."""
    before = {"supersedes": ids.show("co", older[0].id)} if older else {}
    act = msgspec.structs.replace(act, evidence={**act.evidence, **before})
    event = _event(made, "renewed" if older else "given", act, at=made.given_at)
    await _write(session, made, rows.signed(ring, msgspec.structs.replace(made, happened=(event,)), at=made.given_at))
    await events.append(session, event)
    for one in older:
        await end(session, ring, one, "superseded", act=act)


async def _write(session: AsyncSession, made: Consent, receipt: str | None) -> None:
    """Write the row of a consent just given."""
    await session.execute(
        insert(consent).values(
            id=made.id,
            citizen_id=made.citizen_id,
            purpose=made.purpose,
            one_use=made.one_use,
            notice_version=made.notice_version,
            notice_digest=made.notice_digest,
            sources=list(made.sources),
            subject=made.subject,
            given_at=made.given_at,
            expires_at=made.expires_at,
            receipt=receipt or "",
            processing=msgspec.to_builtins(made.processing),
        )
    )


async def give_one_use(session: AsyncSession, *, citizen_id: uuid.UUID, purpose: str, until: datetime) -> uuid.UUID:
    """Record the consent that lies in drawing a one-use code, shown before it is drawn; lives until `until`."""
    consent_id = ids.new()
    await session.execute(
        insert(consent).values(
            id=consent_id,
            citizen_id=citizen_id,
            purpose=purpose,
            one_use=True,
            notice_version=0,
            notice_digest="",
            sources=[],
            given_at=clock.civil(),
            expires_at=until,
            receipt="",
        )
    )
    return consent_id


async def withdraw(
    session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, consent_id: uuid.UUID, act: Act = BY_CITIZEN
) -> Consent:
    """End a consent now; repeating it changes nothing. Raises NotFound. PIPL article 15."""
    await turn(session, citizen_id=citizen_id)
    found = await get(session, citizen_id=citizen_id, consent_id=consent_id)
    if found.state == "given":
        await end(session, ring, found, "withdrawn", act=act)
    elif found.state == "expired":
        await end(session, ring, found, "expired", act=BY_CLOCK)
    return await get(session, citizen_id=citizen_id, consent_id=consent_id)


async def drop_source(
    session: AsyncSession,
    ring: Keyring,
    *,
    citizen_id: uuid.UUID,
    consent_id: uuid.UUID,
    source: str,
    core: Iterable[str],
    act: Act = BY_CITIZEN,
) -> Consent:
    """Stop one optional source of a live consent. Raises NotFound, Ended, CoreSource."""
    await turn(session, citizen_id=citizen_id)
    found = await get(session, citizen_id=citizen_id, consent_id=consent_id)
    if found.state != "given":
        detail = "Nothing is taken from any source any more."
        raise Ended(detail)
    if source in set(core):
        detail = "Core sources are taken or refused whole: withdraw the consent to stop them."
        raise CoreSource(detail)
    if source not in found.sources:
        raise NotFound
    now = clock.civil()
    await session.execute(insert(consent_source_end).values(consent_id=consent_id, source=source, at=now))
    await subjects.leave(session, citizen_id, only=source, under=consent_id)
    left = msgspec.structs.replace(found, sources=tuple(one for one in found.sources if one != source))
    await rows.note(session, ring, left, _event(left, "source_dropped", act, at=now, about=source))
    return await get(session, citizen_id=citizen_id, consent_id=consent_id)


async def end(session: AsyncSession, ring: Keyring, one: Consent, reason: str, *, act: Act) -> None:
    """End a consent for a reason, unless it has ended, and note that; its people leave every source's feed."""
    at = min(one.expires_at, clock.civil()) if reason == "expired" else clock.civil()
    ended = upsert(consent_end).values(consent_id=one.id, reason=reason, at=at).on_conflict_do_nothing()
    fresh = await session.scalar(ended.returning(consent_end.c.consent_id)) is not None
    if fresh or reason == "superseded":
        await rows.note(session, ring, one, _event(one, reason, act, at=at))
    if fresh and one.sources and reason != "superseded":
        await subjects.leave(session, one.citizen_id, under=one.id)


async def erased(session: AsyncSession, ring: Keyring, *, citizen_id: uuid.UUID, purpose: str) -> None:
    """Note of every ended consent for a purpose that all that was built on it is gone."""
    for one in await _of(session, citizen_id, purpose):
        if one.state in {"withdrawn", "expired", "outdated"} and one.ended_at and one.erased_at is None:
            await rows.note(session, ring, one, _event(one, "erased", BY_CLOCK, at=clock.civil()))


async def get(session: AsyncSession, *, citizen_id: uuid.UUID, consent_id: uuid.UUID) -> Consent:
    """One of the citizen's own consents; NotFound for anybody else's."""
    mine = (consent.c.id == consent_id) & (consent.c.citizen_id == citizen_id)
    found = await rows.read(session, rows.everything().where(mine))
    if not found:
        raise NotFound
    return found[0]


async def of(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Consent]:
    """All consents of a citizen but the one-use ones, newest first."""
    mine = (consent.c.citizen_id == citizen_id) & ~consent.c.one_use
    return await rows.read(session, rows.everything().where(mine).order_by(consent.c.id.desc()))


async def live(session: AsyncSession, *, citizen_id: uuid.UUID, purpose: str) -> Consent | None:
    """The citizen's live consent for a purpose, or None."""
    mine = (consent.c.citizen_id == citizen_id) & (consent.c.purpose == purpose) & subjects.is_live()
    found = await rows.read(session, rows.everything().where(mine).order_by(consent.c.id.desc()))
    return found[0] if found else None


async def _of(session: AsyncSession, citizen_id: uuid.UUID, purpose: str) -> list[Consent]:
    """A citizen's consents for one purpose, newest first."""
    mine = (consent.c.citizen_id == citizen_id) & (consent.c.purpose == purpose)
    return await rows.read(session, rows.everything().where(mine).order_by(consent.c.id.desc()))


def _event(one: Consent, state: str, act: Act, *, at: datetime, about: str = "") -> Event:
    return events.new(one.citizen_id, one.purpose, state, at=at, act=act, consent_id=one.id, about=about)

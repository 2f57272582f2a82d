"""The consent ledger: what a citizen allowed, to whom, for what, until when.

The one module of this floor that the rooms above may open.

Append-only: giving writes one row, ending writes one row elsewhere. A consent lives while it has no end and has not
expired, and every reader joins that at use (`auth.live_consent`), so an end takes effect with the next statement at
every door. PIPL articles 13-17, 23, 29; 国办发〔2020〕49号 forbids consent for life, hence at most twelve months.
Not promised here: erasure of what was built on a consent; the front of house calls the rooms that hold it.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from joserfc.jwk import OKPKey
from sqlalchemy import Row, Select, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import receipts, subjects, terms
from auth.tables import consent, consent_end, consent_source_end
from core import clock, ids
from core.errors import Conflict, NotFound


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


class Consent(msgspec.Struct, frozen=True):
    """One consent as its citizen sees it. `state`: given | withdrawn | expired | superseded | used."""

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
    receipt: str
    state: str
    ended_at: datetime | None
    erased_at: datetime | None


async def turn(session: AsyncSession, *, citizen_id: uuid.UUID) -> None:
    """Wait until no other transaction changes this citizen's consents, and hold others off until this one ends.

    What two taps at once decide is then decided one after the other: one consent a purpose lives, and a withdrawal
    sees every other. A second call in the same transaction costs nothing.
    """
    key = func.hashtextextended(f"auth.consent|{citizen_id}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


async def give(  # noqa: PLR0913  what a consent is made of
    session: AsyncSession,
    *,
    citizen_id: uuid.UUID,
    purpose: str,
    notice_version: int,
    notice_digest: str,
    expires_on: date,
    controller: str,
    receipt_key: OKPKey,
    source_digests: Mapping[str, bytes] | None = None,
    shared: bool = False,
) -> Consent:
    """Record a consent that the citizen has just given; an older live one for the same purpose is superseded.

    `source_digests`: per source named, the person's digest agreed with that source; None when the purpose takes
    nothing from sources. `shared` gives the recipient a random pairwise subject. Raises Invalid for a wrong expiry.
    """
    await turn(session, citizen_id=citizen_id)
    row: dict[str, Any] = {
        "id": ids.new(),
        "citizen_id": citizen_id,
        "purpose": purpose,
        "one_use": False,
        "notice_version": notice_version,
        "notice_digest": notice_digest,
        "sources": sorted(source_digests or ()),
        "subject": ids.random() if shared else None,
        "given_at": clock.civil(),
        "expires_at": terms.expiry(expires_on),
    }
    row["receipt"] = receipts.sign(receipt_key, row, controller=controller)
    for older in await _live_rows(session, citizen_id, purpose):
        await _end(session, older.id, "superseded")
    await session.execute(insert(consent).values(**row))
    if source_digests is not None:
        await subjects.name(session, source_digests, citizen_id=citizen_id, consent_id=row["id"])
    return await get(session, citizen_id=citizen_id, consent_id=row["id"])


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


async def withdraw(session: AsyncSession, *, citizen_id: uuid.UUID, consent_id: uuid.UUID) -> Consent:
    """End a consent now; repeating it changes nothing. Raises NotFound. PIPL article 15."""
    await turn(session, citizen_id=citizen_id)
    found = await get(session, citizen_id=citizen_id, consent_id=consent_id)
    if found.state in {"given", "expired"}:
        await _end(session, consent_id, "withdrawn" if found.state == "given" else "expired")
        if found.sources:
            await subjects.leave(session, citizen_id, under=consent_id)
    return await get(session, citizen_id=citizen_id, consent_id=consent_id)


async def drop_source(
    session: AsyncSession, *, citizen_id: uuid.UUID, consent_id: uuid.UUID, source: str, core: Iterable[str]
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
    await session.execute(insert(consent_source_end).values(consent_id=consent_id, source=source, at=clock.civil()))
    await subjects.leave(session, citizen_id, only=source, under=consent_id)
    return await get(session, citizen_id=citizen_id, consent_id=consent_id)


async def mark_erased(session: AsyncSession, *, consent_id: uuid.UUID) -> None:
    """Note that everything built on an ended consent is gone."""
    await session.execute(
        update(consent_end).where(consent_end.c.consent_id == consent_id).values(erased_at=clock.civil())
    )


async def get(session: AsyncSession, *, citizen_id: uuid.UUID, consent_id: uuid.UUID) -> Consent:
    """One of the citizen's own consents; NotFound for anybody else's."""
    row = (
        await session.execute(_all().where(consent.c.id == consent_id, consent.c.citizen_id == citizen_id))
    ).one_or_none()
    if row is None:
        raise NotFound
    return await _read(session, row)


async def of(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Consent]:
    """All consents of a citizen but the one-use ones, newest first."""
    rows = await session.execute(
        _all().where(consent.c.citizen_id == citizen_id, ~consent.c.one_use).order_by(consent.c.id.desc())
    )
    return [await _read(session, row) for row in rows.all()]


async def live(session: AsyncSession, *, citizen_id: uuid.UUID, purpose: str) -> Consent | None:
    """The citizen's live consent for a purpose, or None."""
    rows = await _live_rows(session, citizen_id, purpose)
    return await _read(session, rows[0]) if rows else None


async def expire(session: AsyncSession, *, limit: int) -> list[Consent]:
    """End up to `limit` consents that are past their day, and take their people out of every source's feed.

    One-use consents are left as they are: they died by the clock, nothing stands on them, and there are many.
    """
    over = consent_end.c.consent_id.is_(None) & ~consent.c.one_use & (consent.c.expires_at <= func.core.civil_now())
    rows = await session.execute(_all().where(over).limit(limit))
    ended = [await _read(session, row) for row in rows.all()]
    for one in ended:
        await _end(session, one.id, "expired")
        if one.sources:
            await subjects.leave(session, one.citizen_id, under=one.id)
    return ended


def _all() -> Select[Any]:
    """Consents with their end, if any."""
    return select(consent, consent_end.c.reason, consent_end.c.at.label("ended_at"), consent_end.c.erased_at).outerjoin(
        consent_end, consent_end.c.consent_id == consent.c.id
    )


async def _live_rows(session: AsyncSession, citizen_id: uuid.UUID, purpose: str) -> Sequence[Row[Any]]:
    query = _all().where(consent.c.citizen_id == citizen_id, consent.c.purpose == purpose, subjects.is_live())
    return (await session.execute(query.order_by(consent.c.id.desc()))).all()


async def _read(session: AsyncSession, row: Row[Any]) -> Consent:
    dropped = select(consent_source_end.c.source).where(consent_source_end.c.consent_id == row.id)
    gone = set(await session.scalars(dropped))
    state = row.reason or ("given" if row.expires_at > clock.civil() else "expired")
    return Consent(
        id=row.id,
        citizen_id=row.citizen_id,
        purpose=row.purpose,
        one_use=row.one_use,
        notice_version=row.notice_version,
        notice_digest=row.notice_digest,
        sources=tuple(source for source in row.sources if source not in gone),
        subject=row.subject,
        given_at=row.given_at,
        expires_at=row.expires_at,
        receipt=row.receipt,
        state=state,
        ended_at=row.ended_at,
        erased_at=row.erased_at,
    )


async def _end(session: AsyncSession, consent_id: uuid.UUID, reason: str) -> None:
    ended = upsert(consent_end).values(consent_id=consent_id, reason=reason, at=clock.civil())
    await session.execute(ended.on_conflict_do_nothing())

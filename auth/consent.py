"""The consent ledger: what a citizen allowed, to whom, for what, until when.

The one module of this floor that the rooms above may open.

Append-only: giving writes one row, ending writes one row elsewhere. A consent lives while it has no end and has not
expired, and every reader joins that at use (`auth.live_consent`), so an end takes effect with the next statement at
every door. PIPL articles 13-17, 23, 29; 国办发〔2020〕49号 forbids consent for life, hence at most twelve months.
Not promised here: erasure of what was built on a consent; the front of house calls the rooms that hold it.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
from joserfc.jwk import OKPKey
from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    Row,
    Select,
    any_,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy import (
    Sequence as SqlSequence,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from auth import receipts
from auth.tables import consent, consent_end, consent_source_end, source_subject
from core import clock, ids
from core.errors import Conflict, FieldError, Forbidden, Invalid, NotFound

ADULT_AGE = 18
LONGEST_MONTHS = 12
_SEQ = SqlSequence("source_subject_seq", schema="auth").next_value()


class Minor(Forbidden):
    """Points are for people of 18 and over."""

    code = "minor"
    title = "Only for people of 18 and over"


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


class Found(msgspec.Struct, frozen=True):
    """The person behind a source's digest, under a live consent that names the source."""

    citizen_id: uuid.UUID
    consent_id: uuid.UUID


class Subject(msgspec.Struct, frozen=True):
    """One line of a source's feed: who joined or left, as the digest agreed with that source."""

    digest: bytes
    state: str
    changed_at: datetime
    seq: int


def adult_on(birth_date: date) -> date:
    """The 18th birthday; for a birthday on 29 February in a common year, 1 March (domain rule 13)."""
    try:
        return birth_date.replace(year=birth_date.year + ADULT_AGE)
    except ValueError:
        return date(birth_date.year + ADULT_AGE, 3, 1)


def must_be_adult(birth_date: date) -> None:
    """Raise Minor before the 18th birthday."""
    if clock.today() < adult_on(birth_date):
        detail = "桂花分只面向年满18周岁的市民；满18周岁后可以自愿申请。"
        raise Minor(detail)


def latest_expiry(today: date) -> date:
    """The last day that a consent given today may live: the same day twelve months later."""
    try:
        return today.replace(year=today.year + 1)
    except ValueError:
        return date(today.year + 1, 2, 28)


def last_day(one: Consent) -> date:
    """The last civil day on which a consent lives."""
    return clock.day_of(one.expires_at - timedelta(seconds=1))


def _instant_after(day: date) -> datetime:
    """The instant at which `day` is over in the city."""
    return datetime.combine(day + timedelta(days=1), time(), clock.CITY_ZONE).astimezone(UTC)


def _checked_expiry(expires_on: date) -> datetime:
    today = clock.today()
    if not today < expires_on <= latest_expiry(today):
        detail = f"A consent lives at least one day and at most {LONGEST_MONTHS} months."
        advice = f"Choose a day after {today} and not after {latest_expiry(today)}."
        raise Invalid(detail, errors=[FieldError("/expires_on", "out_of_range", advice)])
    return _instant_after(expires_on)


async def give(  # noqa: PLR0913  (what a consent is made of)
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

    `source_digests`: per source named, the person's digest agreed with that source. `shared` gives the recipient a
    random pairwise subject. Raises Invalid for an expiry out of range.
    """
    expires_at = _checked_expiry(expires_on)
    for older in await _live_rows(session, citizen_id, purpose):
        await _end(session, older.id, "superseded")
    digests = dict(source_digests or {})
    consent_id = ids.new()
    row: dict[str, Any] = {
        "id": consent_id,
        "citizen_id": citizen_id,
        "purpose": purpose,
        "one_use": False,
        "notice_version": notice_version,
        "notice_digest": notice_digest,
        "sources": sorted(digests),
        "subject": ids.random() if shared else None,
        "given_at": clock.civil(),
        "expires_at": expires_at,
    }
    row["receipt"] = receipts.sign(receipt_key, row, controller=controller)
    await session.execute(insert(consent).values(**row))
    await _leave_sources(session, citizen_id, keep=digests)
    for source, digest in digests.items():
        await _join_source(session, source, digest, citizen_id, consent_id)
    return await get(session, citizen_id=citizen_id, consent_id=consent_id)


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
    found = await get(session, citizen_id=citizen_id, consent_id=consent_id)
    if found.state == "given":
        await _end(session, consent_id, "withdrawn")
        if found.sources:
            await _leave_sources(session, citizen_id, keep={})
    return await get(session, citizen_id=citizen_id, consent_id=consent_id)


async def drop_source(
    session: AsyncSession, *, citizen_id: uuid.UUID, consent_id: uuid.UUID, source: str, core: Iterable[str]
) -> Consent:
    """Stop one optional source of a live consent. Raises NotFound, Ended, CoreSource."""
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
    await _leave_sources(session, citizen_id, only=source)
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


async def subjects_of(
    session: AsyncSession, *, source: str, digests: Sequence[bytes], purpose: str = "score"
) -> dict[bytes, Found]:
    """Per digest of `source`, the person whose live consent names that source; everybody else is absent."""
    query = (
        select(source_subject.c.digest, source_subject.c.citizen_id, source_subject.c.consent_id)
        .join(consent, consent.c.id == source_subject.c.consent_id)
        .where(
            source_subject.c.source == source,
            source_subject.c.digest == any_(bindparam("digests", list(digests), ARRAY(LargeBinary))),
            consent.c.purpose == purpose,
            _is_live(),
        )
    )
    return {row.digest: Found(row.citizen_id, row.consent_id) for row in await session.execute(query)}


async def feed(session: AsyncSession, *, source: str, since: int, limit: int) -> list[Subject]:
    """Who joined or left `source` after feed position `since`, in order; nothing else about them."""
    rows = await session.execute(
        select(source_subject)
        .where(source_subject.c.source == source, source_subject.c.seq > since)
        .order_by(source_subject.c.seq)
        .limit(limit)
    )
    return [Subject(row.digest, "left" if row.left_at else "joined", row.changed_at, row.seq) for row in rows]


async def expire(session: AsyncSession, *, limit: int) -> list[Consent]:
    """End up to `limit` consents that are past their day, and take their people out of every source's feed."""
    rows = await session.execute(
        _all().where(consent_end.c.consent_id.is_(None), consent.c.expires_at <= func.core.civil_now()).limit(limit)
    )
    ended = [await _read(session, row) for row in rows.all()]
    for one in ended:
        await _end(session, one.id, "expired")
        if one.sources:
            await _leave_sources(session, one.citizen_id)
    return ended


def _all() -> Select[Any]:
    """Consents with their end, if any."""
    return select(consent, consent_end.c.reason, consent_end.c.at.label("ended_at"), consent_end.c.erased_at).outerjoin(
        consent_end, consent_end.c.consent_id == consent.c.id
    )


def _is_live() -> ColumnElement[bool]:
    end = consent_end.alias()
    ended = select(end.c.consent_id).where(end.c.consent_id == consent.c.id).correlate(consent).exists()
    return ~ended & (consent.c.expires_at > func.core.civil_now())


async def _live_rows(session: AsyncSession, citizen_id: uuid.UUID, purpose: str) -> Sequence[Row[Any]]:
    query = _all().where(consent.c.citizen_id == citizen_id, consent.c.purpose == purpose, _is_live())
    return (await session.execute(query.order_by(consent.c.id.desc()))).all()


async def _read(session: AsyncSession, row: Row[Any]) -> Consent:
    dropped = await session.scalars(
        select(consent_source_end.c.source).where(consent_source_end.c.consent_id == row.id)
    )
    gone = set(dropped)
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


async def _join_source(
    session: AsyncSession, source: str, digest: bytes, citizen_id: uuid.UUID, consent_id: uuid.UUID
) -> None:
    values = {
        "citizen_id": citizen_id,
        "consent_id": consent_id,
        "seq": _SEQ,
        "changed_at": clock.wall(),
        "left_at": None,
    }
    joined = upsert(source_subject).values(source=source, digest=digest, **values)
    await session.execute(joined.on_conflict_do_update(index_elements=["source", "digest"], set_=values))


async def _leave_sources(
    session: AsyncSession, citizen_id: uuid.UUID, *, keep: Iterable[str] = (), only: str | None = None
) -> None:
    """Turn the citizen's lines of the feeds into "left"; nothing but the digest stays."""
    now = clock.wall()
    lines = source_subject.c.citizen_id == citizen_id
    if only is not None:
        lines &= source_subject.c.source == only
    await session.execute(
        update(source_subject)
        .where(lines, source_subject.c.source.not_in(list(keep)))
        .values(citizen_id=None, consent_id=None, seq=_SEQ, changed_at=now, left_at=now)
    )

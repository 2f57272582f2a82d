"""What giving and ending a consent set in motion: the one place where the ledger and the points meet.

Everything happens in the caller's transaction: a consent is recorded and points exist, or neither; it ends and what was
built on it is gone, or neither. PIPL articles 13-17 and 47.
"""

import uuid
from collections.abc import Set as AbstractSet
from datetime import date

import msgspec
from joserfc.jwk import OKPKey
from sqlalchemy.ext.asyncio import AsyncSession

from api.citizen import notices
from api.deps import House
from auth import citizens, clients
from auth.consent import ledger, terms
from auth.consent.ledger import Consent
from core import audit, clock, ids, sealed
from core.audit import Actor
from core.errors import FieldError, Invalid
from scoring import enrol, retention, rulebook, standing


class UnknownSource(Invalid):
    """A chosen source is not among the optional ones of the notice."""

    code = "unknown_source"
    title = "This source is not offered"


class UnknownRecipient(Invalid):
    """The partner does not exist or does not offer the perk."""

    code = "unknown_recipient"
    title = "This partner does not offer this perk"


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which notice the citizen saw: `digest` is the SHA-256 (hex) of its text."""

    version: int
    digest: str


class Give(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consent: `purpose` is `score` or `share:<partner>/<perk>`; it ends after `expires_on`, ≤ 12 months away."""

    purpose: str
    notice: Shown
    expires_on: date
    optional_sources: tuple[str, ...] = ()


async def record(session: AsyncSession, house: House, *, citizen_id: uuid.UUID, asked: Give) -> Consent:
    """Check and record a consent, and open what it allows."""
    notice = await notices.in_force(session, asked.purpose)
    notices.must_be_shown(notice, version=asked.notice.version, digest=asked.notice.digest)
    profile = await citizens.profile(session, house.ring, citizen_id)
    terms.must_be_adult(profile.birth_date)
    scoring = asked.purpose == "score"
    if not scoring:
        await _recipient(session, asked.purpose)
    given = await ledger.give(
        session,
        citizen_id=citizen_id,
        purpose=asked.purpose,
        notice_version=notice.version,
        notice_digest=notice.digest,
        expires_on=asked.expires_on,
        controller=house.settings.controller,
        receipt_key=receipt_key(house),
        source_digests=await _digests(session, house, notice, asked, profile.id_number) if scoring else None,
        shared=not scoring,
    )
    if scoring:
        await enrol.open(
            session,
            house.ring,
            citizen_id=citizen_id,
            consent_id=given.id,
            adult_on=terms.adult_on(profile.birth_date),
            until=given.expires_at,
        )
        earlier = {source for one in await ledger.of(session, citizen_id=citizen_id) for source in one.sources}
        await _forget(session, house, citizen_id, earlier - set(given.sources))
    await _note(session, citizen_id, "consent.give", asked.purpose, given.id)
    return given


def receipt_key(house: House) -> OKPKey:
    """The key that signs consent receipts."""
    return house.ring.ed25519("rcpt-1")


async def _digests(
    session: AsyncSession, house: House, notice: notices.notices.Notice, asked: Give, id_number: str
) -> dict[str, bytes]:
    """Per source that the consent names, the person's digest agreed with it; sources without a client send nothing."""
    if set(asked.optional_sources) - set(notice.optional_sources):
        advice = f"Offered are: {', '.join(notice.optional_sources)}."
        raise UnknownSource(errors=[FieldError("/optional_sources", "unknown_source", advice)])
    keys = await clients.digest_keys(session, house.ring, [*notice.core_sources, *asked.optional_sources])
    return {source: sealed.digest(key, id_number) for source, key in keys.items()}


async def _recipient(session: AsyncSession, purpose: str) -> None:
    partner, _, perk = purpose.partition(":")[2].partition("/")
    found = await clients.get(session, partner)
    if found is None or found.role not in {"partner", "citycard"} or perk not in found.perks:
        raise UnknownRecipient(errors=[FieldError("/purpose", "unknown_recipient", "Use share:<partner>/<perk>.")])


async def end(session: AsyncSession, house: House, *, citizen_id: uuid.UUID, consent_id: uuid.UUID) -> Consent:
    """Withdraw and erase, in the caller's transaction; an expired one is erased before its grace is over.

    PIPL articles 15 and 47. What a renewed consent allows stays.
    """
    await ledger.turn(session, citizen_id=citizen_id)
    before = await ledger.get(session, citizen_id=citizen_id, consent_id=consent_id)
    ended = await ledger.withdraw(session, citizen_id=citizen_id, consent_id=consent_id)
    if before.state not in {"given", "expired"} or before.erased_at is not None:
        return ended
    if ended.purpose == "score" and await ledger.live(session, citizen_id=citizen_id, purpose="score") is None:
        await retention.erase(session, house.ring, citizen_id=citizen_id)
    await ledger.mark_erased(session, consent_id=consent_id)
    await _note(session, citizen_id, "consent.withdraw", ended.purpose, consent_id)
    return await ledger.get(session, citizen_id=citizen_id, consent_id=consent_id)


async def drop_source(
    session: AsyncSession, house: House, *, citizen_id: uuid.UUID, consent_id: uuid.UUID, source: str
) -> Consent:
    """Stop one optional source and erase what it sent. Raises NotFound, Ended, CoreSource."""
    await ledger.turn(session, citizen_id=citizen_id)
    one = await ledger.get(session, citizen_id=citizen_id, consent_id=consent_id)
    core = (await notices.in_force(session, one.purpose)).core_sources
    left = await ledger.drop_source(session, citizen_id=citizen_id, consent_id=consent_id, source=source, core=core)
    await _forget(session, house, citizen_id, {source})
    await _note(session, citizen_id, "consent.drop_source", one.purpose, consent_id)
    return left


async def _forget(session: AsyncSession, house: House, citizen_id: uuid.UUID, sources: AbstractSet[str]) -> None:
    """Erase what sources sent that the citizen's consent does not name any more, and count without it."""
    erase, ring, today = retention.erase_source, house.ring, clock.today()
    if sum([await erase(session, ring, citizen_id=citizen_id, source=source) for source in sorted(sources)]):
        book = await rulebook.current(session, on=today)
        await standing.refresh(session, ring, citizen_ids=[citizen_id], as_of=today, cause="source.dropped", book=book)


async def _note(session: AsyncSession, citizen_id: uuid.UUID, action: str, purpose: str, consent_id: uuid.UUID) -> None:
    await audit.write(
        session,
        actor=Actor("citizen", "self"),
        action=action,
        purpose=purpose,
        outcome="done",
        owner=citizen_id,
        detail={"consent": ids.show("co", consent_id)},
    )

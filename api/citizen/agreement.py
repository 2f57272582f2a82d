"""What giving and ending a consent set in motion: the one place where the ledger and the points meet.

Everything happens in the caller's transaction: a consent is recorded and points exist, or neither; it ends and what was
built on it is gone, or neither. PIPL articles 13-17 and 47.
"""

import uuid
from collections.abc import Set as AbstractSet
from datetime import date

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from api.citizen import notices, processing, purposes
from api.deps import House
from auth import citizens, digestkeys, leaving
from auth.citizens import Profile
from auth.consent import ledger, terms
from auth.consent.events import BY_CITIZEN, Act
from auth.consent.rows import Consent
from auth.notices import Notice
from core import audit, clock, ids, sealed
from core.audit import Actor
from incentives.credentials import copies
from incentives.plates import bound as plates
from scoring import enrol, retention, rulebook, standing
from scoring.reports import career


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which notice the citizen saw: `digest` is the SHA-256 (hex) of its text."""

    version: int
    digest: str


class Give(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consent for one purpose; it ends after `expires_on`, ≤ 12 months away.

    `purpose`: score, sensitive:<kind>, share:<partner>/<perk>, recognise:<city> or occupational-report.
    `optional_sources`: for `score`, those of the notice that are switched on. `screen`: what the citizen saw, in the
    app's own words (its name and version), kept as evidence.
    """

    purpose: str
    notice: Shown
    expires_on: date
    optional_sources: tuple[str, ...] = ()
    screen: str = ""


async def record(
    session: AsyncSession, house: House, *, citizen_id: uuid.UUID, asked: Give, act: Act = BY_CITIZEN
) -> Consent:
    """Check and record a consent, and open what it allows."""
    notice = await notices.in_force(session, asked.purpose)
    notices.must_be_shown(notice, version=asked.notice.version, digest=asked.notice.digest)
    await leaving.turn(session, citizen_id=citizen_id)
    profile = await citizens.profile(session, house.ring, citizen_id)
    terms.must_be_adult(profile.birth_date)
    purposes.must_be_offered(asked.optional_sources, notice)
    act = _with_evidence(act, asked, notice)
    if asked.purpose == career.PURPOSE:
        given = await _career(session, house, notice, asked, citizen_id=citizen_id, profile=profile, act=act)
    elif asked.purpose == "score":
        given = await _score(session, house, notice, asked, citizen_id=citizen_id, profile=profile, act=act)
    else:
        given = await _other(session, house, notice, asked, citizen_id=citizen_id, act=act)
    await _note(session, citizen_id, "consent.give", asked.purpose, given.id)
    return given


def _with_evidence(act: Act, asked: Give, notice: Notice) -> Act:
    """Keep what was on the screen beside the act: which screen, in which language, with which boxes ticked."""
    seen = {"screen": asked.screen or "unnamed", "locale": notice.language, "ticks": list(asked.optional_sources)}
    return msgspec.structs.replace(act, evidence={**seen, **act.evidence})


async def _score(
    session: AsyncSession,
    house: House,
    notice: Notice,
    asked: Give,
    *,
    citizen_id: uuid.UUID,
    profile: Profile,
    act: Act,
) -> Consent:
    """Record the consent to points, and let the sources that it names send; points exist from now on."""
    book = await rulebook.current(session, on=clock.today())
    keys = await digestkeys.of(session, house.ring, [*notice.core_sources, *asked.optional_sources])
    kinds = processing.named(book, core=notice.core_sources, optional=asked.optional_sources)
    given = await ledger.give(
        session,
        house.ring,
        citizen_id=citizen_id,
        purpose=asked.purpose,
        notice_version=notice.version,
        notice_digest=notice.digest,
        expires_on=asked.expires_on,
        processing=processing.describe(house, notice=notice, purpose=asked.purpose, citizen_id=citizen_id, kinds=kinds),
        source_digests={source: sealed.digest(key, profile.id_number) for source, key in keys.items()},
        act=act,
    )
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
    return given


async def _career(
    session: AsyncSession, house: House, notice: Notice, asked: Give, *, citizen_id: uuid.UUID, profile: Profile,
    act: Act,
) -> Consent:  # fmt: skip
    """Record the consent to occupational reports, and let the sources of the notice send for them alone."""
    keys = await digestkeys.of(session, house.ring, notice.core_sources)
    given = await ledger.give(
        session,
        house.ring,
        citizen_id=citizen_id,
        purpose=asked.purpose,
        notice_version=notice.version,
        notice_digest=notice.digest,
        expires_on=asked.expires_on,
        processing=processing.describe(house, notice=notice, purpose=asked.purpose, citizen_id=citizen_id),
        named=keys,
        act=act,
    )
    digests = {source: sealed.digest(key, profile.id_number) for source, key in keys.items()}
    await career.open(session, house.ring, citizen_id=citizen_id, digests=digests)
    return given


async def _other(
    session: AsyncSession, house: House, notice: Notice, asked: Give, *, citizen_id: uuid.UUID, act: Act
) -> Consent:
    """Record a consent to anything else: to a kind of record, or to a recipient."""
    kinds = []
    if asked.purpose.startswith("sensitive:"):
        book = await rulebook.current(session, on=clock.today())
        kinds = [(await purposes.sensitive(session, asked.purpose, book, citizen_id=citizen_id), True)]
    recipient = await purposes.recipient(session, asked.purpose, notice)
    given = await ledger.give(
        session,
        house.ring,
        citizen_id=citizen_id,
        purpose=asked.purpose,
        notice_version=notice.version,
        notice_digest=notice.digest,
        expires_on=asked.expires_on,
        processing=processing.describe(
            house, notice=notice, purpose=asked.purpose, citizen_id=citizen_id, kinds=kinds, recipient=recipient
        ),
        shared=recipient is not None,
        act=act,
    )
    if kinds:
        await _recount(session, house, citizen_id, "sensitive.given")
    return given


async def end(
    session: AsyncSession, house: House, *, citizen_id: uuid.UUID, consent_id: uuid.UUID, act: Act = BY_CITIZEN
) -> Consent:
    """Withdraw and erase, in the caller's transaction; one that waits for a renewal is erased before its grace is over.

    PIPL articles 15 and 47. What a renewed consent allows stays; without points, sensitive kinds end too.
    """
    await ledger.turn(session, citizen_id=citizen_id)
    before = await ledger.get(session, citizen_id=citizen_id, consent_id=consent_id)
    ended = await ledger.withdraw(session, house.ring, citizen_id=citizen_id, consent_id=consent_id, act=act)
    if before.state != "given" and not before.waits:
        return ended
    if await ledger.live(session, citizen_id=citizen_id, purpose=ended.purpose) is None:
        await erase(session, house, ended, act=act)
        await ledger.erased(session, house.ring, citizen_id=citizen_id, purpose=ended.purpose)
    await _note(session, citizen_id, "consent.withdraw", ended.purpose, consent_id)
    return await ledger.get(session, citizen_id=citizen_id, consent_id=consent_id)


async def erase(session: AsyncSession, house: House, ended: Consent, *, act: Act = BY_CITIZEN) -> None:
    """Erase what stood on an ended consent that no other one carries on."""
    if ended.purpose == "score":
        for one in await ledger.of(session, citizen_id=ended.citizen_id):
            if one.purpose.startswith("sensitive:") and (one.state == "given" or one.waits):
                await end(session, house, citizen_id=ended.citizen_id, consent_id=one.id, act=act)
        await retention.erase(session, house.ring, citizen_id=ended.citizen_id)
    elif ended.purpose == career.PURPOSE:
        await career.erase(session, citizen_id=ended.citizen_id)
    elif ended.purpose.startswith("sensitive:"):
        kind = ended.purpose.partition(":")[2]
        await retention.erase_kind(session, house.ring, citizen_id=ended.citizen_id, kind=kind)
        await _recount(session, house, ended.citizen_id, "sensitive.ended")
    elif ended.purpose.startswith("share:"):
        await plates.erase(session, citizen_id=ended.citizen_id, purpose=ended.purpose)
    elif ended.purpose.startswith("recognise:"):
        await copies.forget(session, citizen_id=ended.citizen_id, purpose=ended.purpose)


async def drop_source(
    session: AsyncSession, house: House, *, citizen_id: uuid.UUID, consent_id: uuid.UUID, source: str,
    act: Act = BY_CITIZEN,
) -> Consent:  # fmt: skip
    """Stop one optional source and erase what it sent. Raises NotFound, Ended, CoreSource."""
    await ledger.turn(session, citizen_id=citizen_id)
    one = await ledger.get(session, citizen_id=citizen_id, consent_id=consent_id)
    core = (await notices.of_version(session, one.purpose, one.notice_version)).core_sources
    left = await ledger.drop_source(
        session, house.ring, citizen_id=citizen_id, consent_id=consent_id, source=source, core=core, act=act
    )
    await _forget(session, house, citizen_id, {source})
    await _note(session, citizen_id, "consent.drop_source", one.purpose, consent_id)
    return left


async def _forget(session: AsyncSession, house: House, citizen_id: uuid.UUID, sources: AbstractSet[str]) -> None:
    """Erase what sources sent that the citizen's consent does not name any more, and count without it."""
    erase_source, ring = retention.erase_source, house.ring
    if sum([await erase_source(session, ring, citizen_id=citizen_id, source=source) for source in sorted(sources)]):
        await _recount(session, house, citizen_id, "source.dropped")


async def _recount(session: AsyncSession, house: House, citizen_id: uuid.UUID, cause: str) -> None:
    today = clock.today()
    book = await rulebook.current(session, on=today)
    await standing.refresh(session, house.ring, citizen_ids=[citizen_id], as_of=today, cause=cause, book=book)


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

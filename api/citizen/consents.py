"""`/v1/me/consents`: give, see and withdraw. Withdrawing takes one call and erases in the same transaction.

PIPL articles 13-17 and 47; 18 and over only; each consent is for one purpose, names its sources, and ends by itself.
"""

import uuid
from collections.abc import Set as AbstractSet
from datetime import date, datetime

import msgspec
from joserfc.jwk import OKPKey
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import notices
from api.citizen.door import behind
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


class View(msgspec.Struct, frozen=True):
    """A consent as its citizen sees it. `state`: given, withdrawn, expired or superseded."""

    id: str
    purpose: str
    state: str
    notice: Shown
    sources: tuple[str, ...]
    given_at: datetime
    expires_on: date
    ended_at: datetime | None
    erased_at: datetime | None
    subject: str | None
    receipt: str


class Views(msgspec.Struct, frozen=True):
    """All consents, newest first."""

    consents: list[View]


def view(one: Consent) -> View:
    """Show a consent."""
    return View(
        id=ids.show("co", one.id),
        purpose=one.purpose,
        state=one.state,
        notice=Shown(one.notice_version, one.notice_digest),
        sources=one.sources,
        given_at=one.given_at,
        expires_on=terms.last_day(one.expires_at),
        ended_at=one.ended_at,
        erased_at=one.erased_at,
        subject=ids.show("su", one.subject) if one.subject else None,
        receipt=one.receipt,
    )


@get("/v1/me/consents", summary="All consents", tags=["citizen"])
async def see(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]) -> Views:
    """Everything that the caller ever allowed."""
    return Views([view(one) for one in await ledger.of(session, citizen_id=caller.id)])


@get("/v1/me/consents/{consent_id:str}", summary="One consent with its receipt", tags=["citizen"])
async def see_one(
    consent_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> View:
    """One of the caller's consents."""
    return view(await ledger.get(session, citizen_id=caller.id, consent_id=ids.read("co", consent_id)))


@post("/v1/me/consents", summary="Give a consent", tags=["citizen"])
async def give(
    data: JSONBody[Give],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Give one consent; it lives from now on, and points exist from now on."""
    return view(await record(session, house, citizen_id=caller.id, asked=data))


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
        source_digests=await _digests(session, house, notice, asked, profile.id_number) if scoring else {},
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
    strange = sorted(set(asked.optional_sources) - set(notice.optional_sources))
    if strange:
        advice = f"Offered are: {', '.join(notice.optional_sources)}."
        raise UnknownSource(errors=[FieldError("/optional_sources", "unknown_source", advice)])
    wanted = [*notice.core_sources, *asked.optional_sources]
    keys = await clients.digest_keys(session, house.ring, wanted)
    return {source: sealed.digest(key, id_number) for source, key in keys.items()}


async def _recipient(session: AsyncSession, purpose: str) -> None:
    partner, _, perk = purpose.partition(":")[2].partition("/")
    found = await clients.get(session, partner)
    if found is None or found.role not in {"partner", "citycard"} or perk not in found.perks:
        raise UnknownRecipient(errors=[FieldError("/purpose", "unknown_recipient", "Use share:<partner>/<perk>.")])


@delete("/v1/me/consents/{consent_id:str}", status_code=200, summary="Withdraw a consent", tags=["citizen"])
async def withdraw(
    consent_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """End a consent with the next request at every door, and erase what was built on it. Repeating changes nothing."""
    return view(await end(session, house, citizen_id=caller.id, consent_id=ids.read("co", consent_id)))


async def end(session: AsyncSession, house: House, *, citizen_id: uuid.UUID, consent_id: uuid.UUID) -> Consent:
    """Withdraw and erase, in the caller's transaction. PIPL articles 15 and 47."""
    before = await ledger.get(session, citizen_id=citizen_id, consent_id=consent_id)
    ended = await ledger.withdraw(session, citizen_id=citizen_id, consent_id=consent_id)
    if before.state != "given":
        return ended
    if ended.purpose == "score":
        await retention.erase(session, house.ring, citizen_id=citizen_id)
    await ledger.mark_erased(session, consent_id=consent_id)
    await _note(session, citizen_id, "consent.withdraw", ended.purpose, consent_id)
    return await ledger.get(session, citizen_id=citizen_id, consent_id=consent_id)


@delete(
    "/v1/me/consents/{consent_id:str}/sources/{source:str}",
    status_code=200,
    summary="Stop one optional source",
    tags=["citizen"],
)
async def drop_source(
    consent_id: FromPath[str],
    source: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Take nothing more from one optional source and erase what it sent."""
    read = ids.read("co", consent_id)
    one = await ledger.get(session, citizen_id=caller.id, consent_id=read)
    notice = await notices.in_force(session, one.purpose)
    left = await ledger.drop_source(
        session, citizen_id=caller.id, consent_id=read, source=source, core=notice.core_sources
    )
    await _forget(session, house, caller.id, {source})
    await _note(session, caller.id, "consent.drop_source", one.purpose, read)
    return view(left)


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


handlers = [behind([see, see_one, give, withdraw, drop_source])]

"""`/v1/me/consents`: give, see and withdraw. Withdrawing takes one call and erases in the same transaction.

PIPL articles 13-17 and 47; 18 and over only; each consent is for one purpose, names its sources, and ends by itself.
Giving takes a proved real name; for a sensitive kind (PIPL article 29) proved within the last ten minutes.
"""

from datetime import date, datetime

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import agreement
from api.citizen.agreement import Give, Shown
from api.citizen.door import behind
from api.deps import House
from api.identity import stepup
from auth.consent import ledger, terms
from auth.consent.events import Act
from auth.consent.rows import Consent
from core import ids

_MINUTES = 600
_DAYS = 90 * 86400  # no session or token lives longer; the level alone is asked


class View(msgspec.Struct, frozen=True):
    """A consent as its citizen sees it. `state`: given, withdrawn, expired, outdated or superseded.

    `needs_renewal`: it is over, nothing uses what stands on it, and giving it anew within 30 days restores that. A
    consent is outdated by a notice that widens what is done. `receipt` is the newest.
    """

    id: str
    purpose: str
    state: str
    needs_renewal: bool
    notice: Shown
    sources: tuple[str, ...]
    given_at: datetime
    expires_on: date
    ended_at: datetime | None
    erased_at: datetime | None
    subject: str | None
    receipt: str


class Signed(msgspec.Struct, frozen=True):
    """The record as of one change, signed."""

    state: str
    at: datetime
    receipt: str


class Receipts(msgspec.Struct, frozen=True):
    """Every receipt of a consent, oldest first: one for each change of state."""

    receipts: list[Signed]


class Views(msgspec.Struct, frozen=True):
    """All consents, newest first."""

    consents: list[View]


def view(one: Consent) -> View:
    """Show a consent."""
    return View(
        id=ids.show("co", one.id),
        purpose=one.purpose,
        state=one.state,
        needs_renewal=one.waits,
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


@get("/v1/me/consents/{consent_id:str}/receipts", summary="Every receipt of a consent", tags=["citizen"])
async def receipts(
    consent_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> Receipts:
    """The signed record (ISO/IEC TS 27560) after each change: given, sources dropped, ended, erased."""
    one = await ledger.get(session, citizen_id=caller.id, consent_id=ids.read("co", consent_id))
    return Receipts([Signed(*each) for each in one.receipts])


def act(caller: guards.Citizen) -> Act:
    """How this caller's act reaches us."""
    channel = "counter" if caller.actor else "page" if caller.csrf else "app"
    return Act(caller.actor or "citizen", channel, caller.acr, caller.auth_time)


def must_be_proved(caller: guards.Citizen, purpose: str, *, return_to: str = "/consents") -> None:
    """Raise StaleLogin unless the caller has proved enough to give a consent for this purpose (ASVS 10.3.4).

    A sensitive kind asks for a fresh proof; anything else for the level alone, which a counter has seen to.
    """
    if purpose.startswith("sensitive:"):
        stepup.must_be_fresh(caller, within=_MINUTES, return_to=return_to)
    elif caller.actor is None:
        stepup.must_be_fresh(caller, within=_DAYS, return_to=return_to)


@post("/v1/me/consents", summary="Give a consent", tags=["citizen"])
async def give(
    data: JSONBody[Give],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Give one consent for one purpose; it lives from now on, and with `score` points exist from now on."""
    must_be_proved(caller, data.purpose)
    return view(await agreement.record(session, house, citizen_id=caller.id, asked=data, act=act(caller)))


@delete("/v1/me/consents/{consent_id:str}", status_code=200, summary="Withdraw a consent", tags=["citizen"])
async def withdraw(
    consent_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """End a consent with the next request at every door, and erase what was built on it. Repeating changes nothing."""
    read = ids.read("co", consent_id)
    return view(await agreement.end(session, house, citizen_id=caller.id, consent_id=read, act=act(caller)))


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
    left = await agreement.drop_source(
        session, house, citizen_id=caller.id, consent_id=read, source=source, act=act(caller)
    )
    return view(left)


handlers = [behind([see, see_one, receipts, give, withdraw, drop_source])]

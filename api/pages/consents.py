"""The pages of consent: read the notice, agree, see what was agreed, withdraw with one confirmation.

The acts are those of `api.citizen.consents`; here they only get words and forms. Agreeing and withdrawing take the
same number of steps (PIPL article 15).
"""

from datetime import date
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards, problems
from api.citizen import agreement, consents, notices, reminders
from api.citizen.agreement import Give
from api.citizen.consents import View
from api.citizen.me import mask_name
from api.deps import House, HttpRequest
from api.pages import frame, names, words
from api.pages.door import behind
from api.pages.notice import notice_html, takes
from auth import citizens
from auth.consent import asking, ledger, terms
from core import clock, ids
from core.errors import NotFound


class Source(msgspec.Struct, frozen=True):
    """A source under a consent, in words."""

    id: str
    label: str
    optional: bool


class Card(msgspec.Struct, frozen=True):
    """A consent in words."""

    id: str
    purpose: str
    title: str
    sources: list[Source]
    given_at: Any
    expires_on: date
    state_words: str
    ended_at: Any
    erased_at: Any
    receipt: str


async def invite(
    request: HttpRequest, session: AsyncSession, house: House, caller: guards.Citizen, *, renewing: bool
) -> Response[str]:
    """The notice and the form of consent; for somebody under 18 the page that says why not."""
    profile = await citizens.profile(session, house.ring, caller.id)
    name = mask_name(profile.name)
    if clock.today() < (adult_on := terms.adult_on(profile.birth_date)):
        return frame.member(request, "minor.html", house, caller, name=name, adult_on=adult_on)
    notice = await notices.in_force(session, "score")
    labels = await names.sources(session)
    now = await ledger.live(session, citizen_id=caller.id, purpose="score")
    return frame.member(
        request,
        "join.html",
        house,
        caller,
        name=name,
        renewing=renewing,
        left=now is None and any(one.purpose == "score" for one in await ledger.of(session, citizen_id=caller.id)),
        notice=notice,
        notice_html=notice_html(notice),
        takes=takes(notice),
        core=[(one, labels.get(one, one)) for one in notice.core_sources],
        optional=[(one, labels.get(one, one)) for one in notice.optional_sources],
        chosen=now.sources if now else (),
        earliest=date.fromordinal(clock.today().toordinal() + 1),
        latest=terms.latest_expiry(clock.today()),
    )


@get("/consents/new")
async def new(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Agree anew: with other sources, or until another day."""
    live = await ledger.live(session, citizen_id=caller.id, purpose="score")
    return await invite(request, session, house, caller, renewing=live is not None)


@post("/consents", status_code=303)
async def agree(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Redirect:
    """Record the consent in the form and show the points."""
    asked = asked_in(await request.form(), screen="join.html")
    consents.must_be_proved(caller, asked.purpose)
    await agreement.record(session, house, citizen_id=caller.id, asked=asked, act=consents.act(caller))
    return Redirect("/", status_code=303)


@post("/consents/refuse", status_code=303)
async def refuse(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]) -> Redirect:
    """Take a no as easily as a yes; the first page does not ask again for 90 days."""
    await reminders.refuse.fn(reminders.Refuse("score"), session, caller)
    return Redirect("/", status_code=303)


def asked_in(form: FormMultiDict, *, screen: str) -> Give:
    """The consent to `score` in a form of `screen`. Raises Invalid for a form that no page of ours made."""
    said = {
        "purpose": "score",
        "screen": screen,
        "notice": {"version": form.get("version"), "digest": form.get("digest")},
        "expires_on": form.get("expires_on"),
        "optional_sources": form.getall("optional_sources", []),
    }
    try:
        return msgspec.convert(said, Give, strict=False)
    except msgspec.ValidationError as error:
        raise problems.invalid(error) from error


@get("/consents")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Every consent ever given, the live ones first."""
    cards = [await _card(session, consents.view(one)) for one in await ledger.of(session, citizen_id=caller.id)]
    live = [one for one in cards if one.state_words == words.CONSENT["given"]]
    past = [one for one in cards if one not in live]
    left = any(one.purpose == "score" for one in past) and not any(one.purpose == "score" for one in live)
    hushed = {one.purpose for one in await asking.quiet(session, citizen_id=caller.id)}
    due = [one for one in await reminders.reminders(session, caller) if one.purpose not in hushed]
    named = await names.english(request, session)
    return frame.member(request, "consents.html", house, caller, live=live, past=past, due=due, left=left, named=named)


@get("/consents/{consent_id:str}/withdraw")
async def ask(
    request: HttpRequest,
    consent_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Say what withdrawing does and ask once; after it, say what was erased when."""
    one = await ledger.get(session, citizen_id=caller.id, consent_id=ids.read("co", consent_id))
    template = "withdraw.html" if one.state == "given" else "withdrawn.html"
    return frame.member(request, template, house, caller, one=await _card(session, consents.view(one)))


@post("/consents/{consent_id:str}/withdraw", status_code=303)
async def withdraw(
    consent_id: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Redirect:
    """Withdraw, erase, and show what was done."""
    read = ids.read("co", consent_id)
    await agreement.end(session, house, citizen_id=caller.id, consent_id=read, act=consents.act(caller))
    return Redirect(f"/consents/{consent_id}/withdraw", status_code=303)


@get("/consents/{consent_id:str}/sources/{source:str}")
async def ask_source(
    request: HttpRequest,
    consent_id: FromPath[str],
    source: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Say what stopping a source does and ask once."""
    one = await ledger.get(session, citizen_id=caller.id, consent_id=ids.read("co", consent_id))
    card = await _card(session, consents.view(one))
    chosen = next((each for each in card.sources if each.id == source and each.optional), None)
    if chosen is None:
        raise NotFound
    return frame.member(request, "stop_source.html", house, caller, one=card, source=chosen)


@post("/consents/{consent_id:str}/sources/{source:str}", status_code=303)
async def stop_source(
    consent_id: FromPath[str],
    source: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Redirect:
    """Stop one optional source and erase what it sent."""
    read = ids.read("co", consent_id)
    await agreement.drop_source(
        session, house, citizen_id=caller.id, consent_id=read, source=source, act=consents.act(caller)
    )
    return Redirect("/consents", status_code=303)


async def _card(session: AsyncSession, one: View) -> Card:
    notice = await notices.in_force(session, one.purpose)
    order = {source: turn for turn, source in enumerate((*notice.core_sources, *notice.optional_sources))}
    sources = sorted(one.sources, key=lambda each: order.get(each, len(order)))
    labels = await names.sources(session) if sources else {}
    return Card(
        id=one.id,
        purpose=one.purpose,
        title=await names.purpose(session, one.purpose),
        sources=[Source(each, labels.get(each, each), each in notice.optional_sources) for each in sources],
        given_at=one.given_at,
        expires_on=one.expires_on,
        state_words=words.CONSENT.get(one.state, one.state),
        ended_at=one.ended_at,
        erased_at=one.erased_at,
        receipt=one.receipt,
    )


handlers = [behind([new, agree, refuse, see, ask, withdraw, ask_source, stop_source])]

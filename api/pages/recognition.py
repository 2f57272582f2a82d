"""Recognition by other cities 异地互认: choose a city, read its notice, agree, and fetch credentials into a wallet.

The acts are those of `api.citizen`; here they only get words and forms. The picture of an offer and its six digits are
shown once, on the answer to the form that drew it, and in no address.
"""

from datetime import date
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards, problems
from api.citizen import agreement, consents, credentials, notices
from api.citizen.agreement import Give
from api.citizen.notices import NoNotice
from api.deps import House, HttpRequest
from api.pages import frame
from api.pages.door import behind
from api.pages.notice import notice_html
from auth.consent import ledger, terms
from auth.notices import Recipient
from core import clock, ids
from core.errors import NotFound, Problem, TooMany
from incentives.credentials import copies
from incentives.credentials.copies import Batch
from scoring.standing import NotEnrolled

_WHY: dict[type[Problem], str] = {
    credentials.RecognitionNeeded: "对这座城市的同意已经结束，请先重新同意。",
    NotEnrolled: "您还没有加入桂花分，没有可以证明的内容。",
    TooMany: "今天取得次数太多了，请明天再来；钱包里已有的凭证照常可用。",
}
_ANY = "recognise:any"  # one notice explains every city


class City(msgspec.Struct, frozen=True):
    """A city that the notice names, and how it stands: `consent` is the live one's id."""

    code: str
    name: str
    contact: str
    consent: str | None
    until: date | None
    batches: list[Batch]


@get("/recognition")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Every city that can be named, and what the citizen's wallets hold for it."""
    return await _page(request, session, house, caller)


@get("/recognition/agree")
async def read(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """The notice, and the form for one city."""
    notice = await notices.in_force(session, _ANY)
    code = request.query_params.get("city", "")
    name = next((one.name for one in notice.recipients if one.id == code), None)
    if name is None:
        raise NotFound
    today = clock.today()
    return frame.member(
        request, "recognition_agree.html", house, caller,
        code=code, name=name, notice=notice, notice_html=notice_html(notice),
        earliest=date.fromordinal(today.toordinal() + 1), latest=terms.latest_expiry(today),
    )  # fmt: skip


@post("/recognition/agree", status_code=303)
async def agree(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Redirect:
    """Record the consent in the form."""
    form = await request.form()
    said = {
        "purpose": f"recognise:{form.get('city', '')}",
        "screen": "recognition_agree.html",
        "notice": {"version": form.get("version"), "digest": form.get("digest")},
        "expires_on": form.get("expires_on"),
    }
    try:
        asked = msgspec.convert(said, Give, strict=False)
    except msgspec.ValidationError as error:
        raise problems.invalid(error) from error
    consents.must_be_proved(caller, asked.purpose)
    await agreement.record(session, house, citizen_id=caller.id, asked=asked, act=consents.act(caller))
    return Redirect("/recognition", status_code=303)


@post("/recognition/offers", status_code=200)
async def offer(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Draw an offer and show it, once; what stands against it is said on the page."""
    code = str((await request.form()).get("city", ""))
    try:
        drawn = await credentials.offer.fn(credentials.Ask(code), session, house, caller)
    except tuple(_WHY) as wrong:
        why = next(words for kind, words in _WHY.items() if isinstance(wrong, kind))
        return await _page(request, session, house, caller, status=wrong.status, why=why)
    name = next(one.name for one in await _named(session) if one.id == code)
    picture = Markup(drawn.qr)  # noqa: S704  (an SVG of ours)
    return frame.member(request, "recognition_offer.html", house, caller, name=name, drawn=drawn, picture=picture)


async def _page(
    request: HttpRequest, session: AsyncSession, house: House, caller: guards.Citizen, *, status: int = 200,
    why: str | None = None,
) -> Response[str]:  # fmt: skip
    held = await copies.mine(session, citizen_id=caller.id)
    live = {one.purpose: one for one in await ledger.of(session, citizen_id=caller.id) if one.state == "given"}
    cities = list[City]()
    for one in await _named(session):
        given = live.get(f"recognise:{one.id}")
        shown = None if given is None else ids.show("co", given.id)
        until = None if given is None else terms.last_day(given.expires_at)
        batches = [batch for batch in held if batch.city == one.id]
        cities.append(City(one.id, one.name, one.contact, shown, until, batches))
    enrolled = "score" in live
    return frame.member(
        request, "recognition.html", house, caller, status=status, cities=cities, why=why, enrolled=enrolled
    )


async def _named(session: AsyncSession) -> tuple[Recipient, ...]:
    """The cities that the notice in force names: none where there is no notice."""
    try:
        return (await notices.in_force(session, _ANY)).recipients
    except NoNotice:
        return ()


handlers: list[Any] = [behind([see, read, agree, offer])]

"""Perks and the credit code: what one may have, what is missing, and the code for the counter.

The code is shown once, on the answer to the form that draws it: it is in no address, no cache and no history.
"""

import math

import segno
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import credit_code
from api.citizen import perks as api
from api.deps import House, HttpRequest
from api.pages import frame, names, perkwords
from api.pages.door import behind
from core import clock
from incentives import rulebook

_BORDER = 4
_AGAIN = 5


@get("/perks")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Every perk in force, the granted ones first."""
    found: api.Perks = await api.see.fn(session, house, caller)
    perks = sorted(found.perks, key=lambda one: (not one.granted, one.threshold))
    named = await names.english(request, session)
    return frame.member(request, "perks.html", house, caller, perks=perks, words=perkwords, named=named)


@get("/code")
async def ask(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    perk: FromQuery[str] = "",
) -> Response[str]:
    """Say what the partner will learn, before anything is drawn."""
    offered = await rulebook.find(session, perk_id=perk, on=clock.today())
    terms, named = rulebook.terms(offered.perk), await names.english(request, session)
    return frame.member(request, "code_ask.html", house, caller, perk=perk, terms=terms, named=named)


@post("/code", status_code=200)
async def draw(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Draw a code and show it."""
    form = await request.form()
    asked = credit_code.Draw(perk=str(form.get("perk", "")))
    drawn: credit_code.Drawn = await credit_code.draw.fn(asked, session, house, caller)
    offered = await rulebook.find(session, perk_id=asked.perk, on=clock.today())
    left = math.floor((drawn.expires_at - clock.wall()).total_seconds())
    return frame.member(
        request,
        "code.html",
        house,
        caller,
        perk=asked.perk,
        name=offered.perk.name,
        named=await names.english(request, session),
        drawn=drawn,
        seconds=left,
        again=_AGAIN,
        picture=picture(drawn.code, title=frame.teller(request, {})("信用码")),
    )


def picture(text: str, *, title: str) -> Markup:
    """The code as a QR (ISO/IEC 18004), black on white with its quiet zone whatever the colour scheme."""
    drawn = segno.make_qr(text, error="m").svg_inline(
        omitsize=True, border=_BORDER, light="#fff", svgclass="qr", lineclass=None, title=title
    )
    return Markup(drawn)  # noqa: S704  (segno's own markup)


handlers = [behind([see, ask, draw])]

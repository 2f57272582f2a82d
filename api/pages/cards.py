"""How one is known at a counter: the bound city cards, each with a button to report it lost, and the one-time code."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import cards
from api.deps import House, HttpRequest
from api.pages import frame
from api.pages.door import behind


@get("/cards")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Every bound card."""
    found: cards.Views = await cards.see.fn(session, house, caller)
    return frame.member(request, "cards.html", house, caller, cards=found.cards, code=None)


@post("/cards/counter-code", status_code=200)
async def draw(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """A code to say to a clerk at a counter, shown once; the older one dies."""
    drawn: cards.Code = await cards.draw.fn(session, house, caller)
    found: cards.Views = await cards.see.fn(session, house, caller)
    return frame.member(request, "cards.html", house, caller, cards=found.cards, code=drawn)


@post("/cards/{card_id:str}/lost", status_code=303)
async def lose(
    card_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> Redirect:
    """Report one lost."""
    await cards.lose.fn(card_id, session, caller)
    return Redirect("/cards", status_code=303)


handlers: list[Any] = [behind([see, draw, lose], door="auth")]

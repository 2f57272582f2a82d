"""Public names behind ids: sources, organisations, perks and purposes. Nothing here belongs to a person."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from api.citizen import notices
from api.deps import Connection
from api.pages import english as words
from api.pages import frame
from auth import clients
from core import clock
from incentives import rulebook as perkbook
from scoring import rulebook
from scoring.book.classes import CAREER_SOURCES


async def sources(session: AsyncSession) -> dict[str, str]:
    """What each group of sources is called in the catalogue in force."""
    book = await rulebook.current(session, on=clock.today())
    return {group.id: group.name for group in book.catalogue.groups} | dict.fromkeys(CAREER_SOURCES, "职业主管部门")


async def perks(session: AsyncSession) -> dict[str, str]:
    """What each perk in force is called."""
    return {one.perk.id: one.perk.name for one in await perkbook.in_force(session, on=clock.today())}


async def english(request: Connection, session: AsyncSession) -> dict[str, str]:
    """The rule books' own English of what they name, Chinese -> English; nothing where the page is not in English."""
    if frame.tongue(request) != "en":
        return {}
    card = (await rulebook.current(session, on=clock.today())).scorecard
    perks_ = [one.perk for one in await perkbook.in_force(session, on=clock.today())]
    named = (*card.dimensions, *card.indicators(), *card.deductions, *card.holds, *perks_)
    return {one.name: words.called(one.english) for one in named}


async def organisations(session: AsyncSession, client_ids: Iterable[str]) -> dict[str, str]:
    """What each client is called."""
    return await clients.names(session, client_ids)


async def purpose(session: AsyncSession, text: str) -> str:
    """What a consent is for: `score`, `share:<partner>/<perk>`, `recognise:<city>`."""
    kind, _, rest = text.partition(":")
    if kind == "recognise":
        cities = {one.id: one.name for one in (await notices.in_force(session, text)).recipients}
        return f"让{cities.get(rest, rest)}核对您出示的凭证"
    if kind != "share":
        return PURPOSES.get(kind, kind)
    partner, _, perk = rest.partition("/")
    named = (await organisations(session, [partner])).get(partner, partner)
    return f"允许{named}查询：{(await perks(session)).get(perk, perk)}"


PURPOSES = {
    "score": "计算我的桂花分",
    "rules": "规则改动前看清对大家的影响",
    "handling": "办理您提交的这件事",
    "supervision": "督办：这件事快到期或已经逾期",
    "complaint": "核实一件投诉",
    "inspection": "例行检查：看信息是不是只被该看的人看过",
    "breach": "查一起信息安全事件",
}

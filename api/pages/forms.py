"""Forms on paper for the counter: what a person can do on the page, they can do with a pen.

Empty forms for everybody, with or without an account: nothing personal is printed, and the ID number is never written
down, since the clerk checks the card. The clerk does what the form says by an assisted session (`api.staff.counter`).
"""

from typing import Any

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import notices
from api.deps import House, HttpRequest
from api.pages import frame, names
from api.pages.door import anyone, behind
from api.pages.notice import notice_html
from api.pages.rights import ABOUT
from core import clock
from core.errors import NotFound
from scoring.rights import inforce
from scoring.rights.disputing import REASONS


class Form(msgspec.Struct, frozen=True):
    """A form: its title, what it does, boxes to tick, lines to write on, and what is said below."""

    title: str
    lead: str
    ticks: tuple[str, ...] = ()
    blanks: tuple[tuple[str, int], ...] = ()
    says: tuple[str, ...] = ()


FORMS = {
    "join": Form(
        "加入桂花分同意书",
        "请先读完后面的告知书，再决定。不加入不影响您办任何事。",
        says=("同意从今天起，最长十二个月，到期自动停止；随时可以撤回，撤回后当天删除。",),
    ),
    "withdraw": Form(
        "撤回同意",
        "立刻生效，不收费，没有任何坏处；以后可以重新加入。",
        ticks=("计算我的桂花分（全部）", "只停用一个信息来源：", "不再允许一个单位查询：", "跨城市互认："),
        says=("撤回“计算我的桂花分”后，分数和记录立即删除，无法恢复；已经享受的便利照常办完。",),
    ),
    "dispute": Form(
        "记录异议申请",
        "认为记录有错，可以提出异议，不收费。从提出起，这项扣分停止，直到有结果。",
        ticks=tuple(REASONS.values()),
        blanks=(("是哪一条记录（名称和日期）", 1), ("哪里不对", 4), ("证据，例如文书号、缴款凭证号（可以不填）", 2)),
        says=("来源单位看不到您是谁；请不要写证件号，也不要写别人的信息。",),
    ),
    "repair": Form(
        "信用修复申请",
        "已经改正的，可以申请信用修复，不收费。修复当天停止扣分。",
        blanks=(("是哪一条记录（名称和日期）", 1), ("怎样改正的，义务何时履行完毕", 4)),
        says=("窗口会把承诺书念给您听，由您签字。",),
    ),
    "review": Form(
        "人工复核或者更正申请",
        "对任何结果不满意，可以要求人工复核，15天内答复；资料有误，可以要求更正。结果只会更好，不会更差。",
        ticks=tuple(ABOUT.values()),
        blanks=(("您想说的话", 6),),
    ),
    "leave": Form(
        "彻底离开并删除",
        "删除与您有关的一切信息和密钥，不能恢复，并给您一份可以验证的销毁证明。",
        says=("还没有归还、付清的便利，会先办完，最迟三十天。", "以后可以重新加入，从头开始。"),
    ),
}


@get("/forms")
async def forms(
    request: HttpRequest, house: NamedDependency[House], caller: NamedDependency[guards.Citizen | None]
) -> Response[str]:
    """Every form."""
    return frame.either(request, "forms.html", house, caller, forms=FORMS)


@get("/forms/{kind:str}")
async def form(
    request: HttpRequest,
    kind: FromPath[str],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen | None],
) -> Response[str]:
    """One form, for printing."""
    one = FORMS.get(kind)
    if one is None:
        raise NotFound
    context: dict[str, Any] = {"notice": None, "clocks": None}
    if kind == "join":
        labels = await names.sources(session)
        notice = await notices.in_force(session, "score")
        named = [[labels.get(each, each) for each in group] for group in (notice.core_sources, notice.optional_sources)]
        context |= {"notice": notice, "notice_html": notice_html(notice), "core": named[0], "optional": named[1]}
    if kind == "dispute":
        context["clocks"] = await inforce.disputes(session, on=clock.today())
    return frame.either(request, "form.html", house, caller, one=one, controller=house.settings.controller, **context)


handlers = [behind([forms, form], guard=anyone)]

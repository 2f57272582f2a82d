"""Orders on a page: what is out, what it costs, what the clock does next, and the two buttons against a wrong clock.

The forms do what `POST /v1/me/orders/{id}/report-fault` and `/dispute` do.
"""

from collections.abc import Mapping

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen import orders as api
from api.citizen import rides
from api.citizen import tickets as citizen_tickets
from api.citizen.orders import Dispute, View
from api.deps import House, HttpRequest
from api.pages import frame
from api.pages.door import behind, sent
from core import clock
from incentives import rulebook
from incentives.orders.courses import REASONS
from incentives.orders.holders import Step

_NEXT: Mapping[str, str] = {
    "expire": "还没有取用就自动失效，什么都不用付",
    "run_out": "年票到期，不再收费",
    "presume": "视为已经归还，停止计费",
    "forgive": "商户还没有结算，就按零元结清",
    "lapse": "还没有付清，会提醒您",
    "remind": "再提醒一次；不影响分数",
    "uphold": "还没有答复，就按您说的办，收费全部取消",
    "write_off": "余款不再要求支付",
    "close": "与您脱钩，只留商户的账目",
}
_GUARANTORS: Mapping[str, str] = {"wechat": "微信支付分", "alipay": "支付宝"}
_DAYS = 60
_BY = {"partner": "商户", "citizen": "您", "staff": "工作人员", "clock": "到期自动", "rule": "自动"}
EVERY = frozenset({*_NEXT.values(), *_BY.values(), *REASONS.values()})


class Words(msgspec.Struct, frozen=True):
    """What the page says of orders; `perks` are names by id."""

    perks: Mapping[str, str]
    reasons = REASONS
    guarantors = _GUARANTORS

    def state(self, one: View) -> str:
        """Where an order stands."""
        return one.course().chinese(one.status)

    def next(self, one: View) -> str:
        """What happens if nobody does anything."""
        if one.next == "expire" and one.admission is not None:
            return "还没有入园就自动失效，优惠名额退回，不影响分数"
        return _NEXT.get(one.next or "", "")

    def step(self, order: View, one: Step) -> str:
        """What was done and by whom, in the words of the order's form."""
        called = {each.name: each.chinese for each in order.course().events}
        return f"{called.get(one.event, '受理')}（{_BY[one.by]}）"

    def shown(self, one: View) -> bool:
        """Whether there is something to show at a gate."""
        return one.admission is not None and one.status in {"open", "active"}

    def yuan(self, fen: int) -> str:
        """Fen as yuan."""
        return f"{fen // 100}.{fen % 100:02d}元"


@get("/orders")
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """Every order, newest first."""
    found = await api.mine.fn(session)
    ridden = await rides.mine.fn(session, caller, limit=_DAYS)
    names = {one.perk.id: one.perk.name for one in await rulebook.in_force(session, on=clock.today())}
    return frame.member(
        request, "orders.html", house, caller, orders=found.orders, rides=ridden.rides, words=Words(names)
    )


@get("/orders/{order_id:str}/ticket")
async def ticket(
    order_id: FromPath[str],
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Response[str]:
    """The text of a ticket or pass, large, for the gate."""
    drawn = await citizen_tickets.ticket.fn(order_id, session, house)
    return frame.member(request, "ticket.html", house, caller, ticket=drawn)


@post("/orders", status_code=303)
async def act(
    request: HttpRequest, session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> Redirect:
    """Report a fault by its button, or dispute by the form."""
    form = await request.form()
    if broken := form.get("broken"):
        await api.report_fault.fn(str(broken), session, caller)
    else:
        await api.dispute.fn(str(form.get("order", "")), await sent(request, Dispute), session, caller)
    return Redirect("/orders", status_code=303)


handlers = [behind([see, ticket, act])]

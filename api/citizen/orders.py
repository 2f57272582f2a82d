"""`/v1/me/orders`: the caller's orders at partners, what the clock does next, and the two words against a partner's.

A fault that is reported stops the clock at once; a disputed charge need not be paid until the office has answered. The
true reason of a `standard_route` stands in `/v1/me/accesses`, for the caller alone.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from auth import clients
from core import audit, ids
from core.audit import Actor
from incentives.channels import guarantees
from incentives.channels.course import Channel
from incentives.orders import holders
from incentives.orders.counter import PREFIX, Order
from incentives.orders.holders import Held, Step
from incentives.orders.lines import Item

_ROUTE = "/v1/me/orders"
Reason = Literal["amount", "returned", "broken", "paid", "not_mine"]


class Dispute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wrong with the charge."""

    reason: Reason


class View(Order, frozen=True, kw_only=True):
    """An order as its citizen sees it. `evidence`: the partner's proof of the return; `answer`: the office's.

    `guarantor`: who stands for the deposit that is not asked for, `own` being the partner itself.
    """

    partner: str
    partner_name: str
    items: tuple[Item, ...] | None
    terminal: str | None
    guarantor: Literal["own", "wechat", "alipay"]
    evidence: dict[str, str] | None
    disputed_for: str | None
    answer: str | None
    history: tuple[Step, ...]
    allowed_actions: tuple[str, ...]


class Orders(msgspec.Struct, frozen=True):
    """The caller's orders, newest first; what has been over for 180 days is no longer linked to anybody."""

    orders: list[View]


@get(_ROUTE, summary="My orders", tags=["citizen"])
async def mine(session: NamedDependency[AsyncSession]) -> Orders:
    """Every order, with its history and what the clock does next if nobody does anything."""
    found = await holders.mine(session)
    names = await clients.names(session, {one.more.partner for one in found})
    by = await guarantees.mine(session)
    return Orders([view(one, names, by) for one in found])


@post(f"{_ROUTE}/{{order_id:str}}/report-fault", status_code=200, summary="Report a fault", tags=["citizen"])
async def report_fault(
    order_id: FromPath[str], session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]
) -> View:
    """It is broken, or cannot be returned: the clock stops now; unanswered for 24 hours, it was returned now."""
    return await _act(session, caller, order_id, "report-fault")


@post(f"{_ROUTE}/{{order_id:str}}/dispute", status_code=200, summary="Dispute a charge", tags=["citizen"])
async def dispute(
    order_id: FromPath[str],
    data: JSONBody[Dispute],
    session: NamedDependency[AsyncSession],
    caller: NamedDependency[guards.Citizen],
) -> View:
    """Have a charge looked at by the office, once; without an answer within 30 days it is taken back."""
    return await _act(session, caller, order_id, "dispute", data.reason)


async def _act(
    session: AsyncSession, caller: guards.Citizen, order_id: str, event: str, reason: str | None = None
) -> View:
    done = await holders.act(session, order_id=ids.read(PREFIX, order_id), event=event, reason=reason)
    await audit.write(
        session, actor=Actor("citizen", "self"), action=f"order.{event}", purpose=done.order.perk, outcome="asked",
        owner=caller.id, detail={"order": done.order.order_id},
    )  # fmt: skip
    return view(done, await clients.names(session, {done.more.partner}), await guarantees.mine(session))


def view(one: Held, names: Mapping[str, str], by: Mapping[str, Channel]) -> View:
    """The order as its citizen sees it."""
    told = {**msgspec.structs.asdict(one.order), **msgspec.structs.asdict(one.more)}
    name = names.get(one.more.partner, one.more.partner)
    allowed = one.order.course().allowed(one.order.status, by="citizen")
    return View(**told, partner_name=name, allowed_actions=allowed, guarantor=by.get(one.order.order_id, "own"))


handlers = [behind([mine, report_fault, dispute])]

"""A library whose deposits a channel guarantees: its till, the worker's mirror, and a stand-in, all in this process."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

from sqlalchemy import text

from core import clock
from core.db import Doors
from incentives.channels import alipay, upkeep, wechat
from incentives.channels.account import Account
from incentives.channels.asking import Told
from incentives.channels.mirror import Mirror
from incentives.channels.words import UNKNOWN, Call
from incentives.orders.counter import Order
from tests import alipayserver, orderworld, payscoreserver
from tests.alipayserver import Gateway
from tests.orderworld import Till
from tests.payscoreserver import PayScore

NOTIFY = "https://credit.example/v1/channels/{}/notify"
Ask = Callable[[Account, Call], Awaitable[Told]]


def heard(server: PayScore | Gateway, account: Account, call: Call) -> Told:
    """One call, as bytes, without a socket."""
    spoken: ModuleType = wechat if isinstance(server, PayScore) else alipay
    asking = spoken.ask(account, call, now=clock.wall(), nonce="n" * 32)
    if isinstance(server, PayScore):
        told = {name.lower(): value for name, value in asking.headers.items()}
        answer = server.answer(asking.method, asking.path + asking.query, told, asking.body)
    else:
        found = server.answer("", asking.body)
        answer = None if found is None else (found[0], {}, found[1])
    if answer is None:
        return Told(UNKNOWN, b"")
    return Told(spoken.hear(account, call, *answer, now=clock.wall()), b"digest")


class Counter:
    """The library, its channel, and its worker."""

    def __init__(self, till: Till, doors: Doors, server: PayScore | Gateway, account: Account) -> None:
        """`server` answers the mirror's calls."""
        self.till, self.doors, self.server, self.account = till, doors, server, account
        self.mirror = Mirror(doors, {(account.partner, account.perk): account}, notify=NOTIFY, ask=self.ask)

    async def ask(self, account: Account, call: Call) -> Told:
        """One call of the mirror."""
        return heard(self.server, account, call)

    async def look(self, order: Order, *, again: bool = False) -> dict[str, Any]:
        """Let the worker look, as often as there is something to do now; `again`: though nothing is due."""
        if again:
            await self.wake(order)
        for _ in range(9):
            row = await self.row(order)
            if not row["due"]:
                break
            await self.mirror.look(str(row["order_id"]))
        return await self.row(order)

    async def wake(self, order: Order) -> None:
        """Time passes."""
        query = "update incentives.channel_order set next_at = now(), busy_until = null where number = :number"
        async with self.doors.work("jobs") as session:
            await session.execute(text(query), {"number": order.order_id})

    async def row(self, order: Order) -> dict[str, Any]:
        """The order as the mirror knows it."""
        query = (
            "select *, coalesce(next_at <= now(), false) as due from incentives.channel_order where number = :number"
        )
        async with self.doors.work("jobs") as session:
            found = (await session.execute(text(query), {"number": order.order_id})).mappings().one_or_none()
        return {"due": False} if found is None else dict(found)

    async def calls(self, order: Order) -> list[tuple[str, str]]:
        """Number and state of every call so far."""
        query = (
            "select k.request, k.state from incentives.channel_call k join incentives.channel_order c using (order_id) "
            "where c.number = :number order by k.asked_at, k.request"
        )
        found = await self.till.city.rows(query, number=order.order_id)
        return [(row["request"].removeprefix(order.order_id), row["state"]) for row in found]

    async def order(self, order: Order) -> dict[str, Any]:
        """Our order's row."""
        query = "select * from incentives.perk_order where object = :number"
        return (await self.till.city.rows(query, number=order.order_id))[0]

    async def agreed(self, citizen: uuid.UUID | None = None, **more: Any) -> Order:
        """An order whose payer agreed at the channel."""
        order = await self.till.opened(citizen, **more)
        await self.look(order)
        await self.agree(order)
        await self.look(order, again=True)
        return order

    async def agree(self, order: Order, **more: Any) -> bool:
        """The payer agrees on their telephone."""
        if isinstance(self.server, PayScore):
            return self.server.confirm(order.order_id, order.order_id)
        return self.server.launch((await self.row(order))["launch"], **more)

    def pay(self, order: Order, turn: int = 0) -> bool:
        """The channel takes what is due."""
        if isinstance(self.server, PayScore):
            return self.server.pay(order.order_id)
        return self.server.pay(f"{order.order_id}-pay{turn}")

    def frozen(self, order: Order) -> int:
        """What the channel guarantees or charges now, in fen."""
        found = self.server.orders.get(order.order_id)
        if found is None:
            return 0
        if isinstance(self.server, PayScore):
            return int(found["risk_fund"]["amount"]) if found["state"] == "DOING" else 0
        return int(found["rest"]) if found["status"] == "AUTHORIZED" else 0

    def taken(self, order: Order) -> int:
        """What the channel took from the payer, in fen."""
        found = self.server.orders.get(order.order_id)
        if found is None:
            return 0
        if isinstance(self.server, PayScore):
            return sum(one["amount"] for one in found["paid"] if one["paid_type"] == "NEWTON")
        return int(found["paid"])


@asynccontextmanager
async def counter(channel: str, database: str, doors: Doors) -> AsyncIterator[Counter]:
    """The library at a channel."""
    server: PayScore | Gateway = PayScore() if channel == "wechat" else Gateway()
    account = payscoreserver.account() if channel == "wechat" else alipayserver.account()
    async with orderworld.till(database, doors) as till:
        async with doors.work("jobs") as session:
            await upkeep.guarantee(session, [account])
        yield Counter(till, doors, server, account)

"""A partner with orders in the small city of `gateworld`: what tests do with them in a word each."""

import secrets
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from core import clock
from core.db import Doors
from incentives.eligibility import Gate
from incentives.orders import counter
from incentives.orders.counter import Done, Opening, Order
from tests.gateworld import LIBRARY, World, world

SCOPE = "eligibility:check orders:write"
LINES = {"items": [{"name": "rent", "amount": 500}]}


class Till:
    """A partner at its till."""

    def __init__(self, city: World, gate: Gate, token: bytes, name: str = "p_library") -> None:
        """`token` is the partner's."""
        self.city, self.gate, self.token, self.name = city, gate, token, name

    async def open(self, *, key: str | None = None, deposit: int | None = 10000, **more: Any) -> Done:
        """Open an order; a new number and key unless told."""
        asked = {"out_order_no": secrets.token_hex(8), "perk": LIBRARY, "deposit": deposit, **more}
        return await counter.open(self.gate, token=self.token, key=key or secrets.token_hex(8), asked=Opening(**asked))

    async def opened(self, citizen: uuid.UUID | None = None, **more: Any) -> Order:
        """An order that is granted, by a code that was shown."""
        code = await self.city.code(citizen or await self.city.citizen(), more.get("perk", LIBRARY))
        order = (await self.open(code=code, **more)).order
        assert order.status == "open", order
        return order

    async def act(self, order: Order | str, action: str, *, key: str | None = None, **given: Any) -> Order:
        """One action."""
        shown = order if isinstance(order, str) else order.order_id
        done = await counter.act(
            self.gate, token=self.token, key=key or secrets.token_hex(8), order_id=shown, action=action, given=given
        )
        return done.order

    async def to(self, state: str, citizen: uuid.UUID | None = None, **more: Any) -> Order:
        """An order on the way: open, active, returned, settling (500 fen), settled."""
        order = await self.opened(citizen, **more)
        for reached, action, given in _WAY:
            if order.status == state:
                break
            order = await self.act(order, action, **given)
            assert order.status == reached
        return order

    async def pass_by(self, **time: float) -> None:
        """Move the civil clock of the database on."""
        await self.city.do(
            "insert into core.civil_offset as c (one, moved) values (true, :by) "
            "on conflict (one) do update set moved = c.moved + :by",
            by=timedelta(**time),
        )
        clock.move((await self.city.rows("select moved from core.civil_offset"))[0]["moved"])

    async def budget(self, *, per: str, every: str, count: int | None = None, amount: int | None = None) -> None:
        """Limit the perk in force."""
        await self.city.do(
            "insert into incentives.perk_budget select perk_id, release_id, :per, :every, :count, :amount "
            "from incentives.perk order by effective_on desc limit 1",
            per=per, every=every, count=count, amount=amount,
        )  # fmt: skip

    async def books(self) -> tuple[Any, Any]:
        """What is held and used now: exposure and budgets, without what is nothing."""
        held = await self.city.rows(
            "select citizen_id, perk_id, orders, waived from incentives.exposure "
            "where orders > 0 or waived > 0 order by 1, 2"
        )
        used = await self.city.rows(
            "select per, holder, period, orders, waived from incentives.budget_use "
            "where orders > 0 or waived > 0 order by 1, 2, 3"
        )
        return held, used


_WAY: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("active", "start", {}),
    ("returned", "return", {}),
    ("settling", "settle", LINES),
    ("settled", "sync", {"paid_amount": 500}),
)


@asynccontextmanager
async def till(database: str, doors: Doors, **perk: Any) -> AsyncIterator[Till]:
    """A library that lends without a deposit, up to 300.00."""
    async with world(database) as city:
        await city.perk(**perk)
        await city.partner()
        gate = Gate(await doors.pool(), b"k" * 32)
        try:
            yield Till(city, gate, await city.token("p_library", scope=SCOPE))
        finally:
            clock.move(timedelta(0))

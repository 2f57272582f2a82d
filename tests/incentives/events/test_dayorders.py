"""The day's orders: one key, sums that add up, and nobody else's."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from core import clock
from core.db import Doors
from incentives.eligibility import TokenDead
from incentives.events import dayorders
from incentives.events.dayorders import Sum
from tests.orderworld import Till, till


@pytest_asyncio.fixture
async def shop(database: str, doors: Doors) -> AsyncIterator[Till]:
    """A library's till."""
    async with till(database, doors) as made:
        await made.city.do("insert into core.civil_offset values (true, interval '0') on conflict do nothing")
        yield made
    clock.move(timedelta(0))


class TestRead:
    """A finished day."""

    async def test_it_adds_up_once_the_day_is_over(self, shop: Till, doors: Doors) -> None:
        """Opened, settled, reversed, paid, by the partner's number; before midnight nothing; page by page the same."""
        one = await shop.to("settling", out_order_no="B-2")
        await shop.act(one, "reverse", items=[{"line": 1, "amount": 200}])
        await shop.act(one, "sync", paid_amount=300)
        await shop.to("settling", out_order_no="A-1")
        pool, today = await doors.pool(), clock.today()
        running = await dayorders.read(pool, token=shop.token, day=today, after=None, most=10)
        assert running.lines == []
        await shop.pass_by(days=1)
        found = await dayorders.read(pool, token=shop.token, day=today, after=None, most=10)
        assert [(line.out_order_no, line.kind, line.amount) for line in found.lines] == [
            ("A-1", "opened", 10000), ("A-1", "settled", 500), ("B-2", "opened", 10000), ("B-2", "settled", 500),
            ("B-2", "reversed", 200), ("B-2", "paid", 300),
        ]  # fmt: skip
        assert found.sums == {
            "opened": Sum(2, 20000), "settled": Sum(2, 1000), "reversed": Sum(1, 200), "forgiven": Sum(0, 0),
            "paid": Sum(1, 300),
        }  # fmt: skip
        assert found.charged == 800
        paged, after = [], None
        while page := (await dayorders.read(pool, token=shop.token, day=today, after=after, most=2)).lines:
            paged += page
            after = (page[-1].out_order_no, page[-1].seq)
        assert paged == found.lines

    async def test_only_the_callers(self, shop: Till, doors: Doors) -> None:
        """Another partner's day is empty; a token that may not order is none."""
        await shop.opened()
        day = clock.today()
        await shop.pass_by(days=1)
        pool = await doors.pool()
        await shop.city.partner("p_other")
        theirs = await shop.city.token("p_other", scope="orders:write")
        assert (await dayorders.read(pool, token=theirs, day=day, after=None, most=9)).lines == []
        narrow = await shop.city.token("p_library")
        with pytest.raises(TokenDead):
            await dayorders.read(pool, token=narrow, day=day, after=None, most=9)

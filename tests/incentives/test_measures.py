"""What a quarter's report shows of orders, and what it hides."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio

from core import clock
from core.db import Doors
from core.smallcells import LEAST
from incentives import measures
from scoring.reports import quarter as quarters
from tests.orderworld import Till, till


@pytest_asyncio.fixture
async def shop(database: str, doors: Doors) -> AsyncIterator[Till]:
    """A library's till."""
    async with till(database, doors) as made:
        await made.city.do("insert into core.civil_offset values (true, interval '0') on conflict do nothing")
        yield made
    clock.move(timedelta(0))


class TestMake:
    """The report."""

    async def test_a_cell_of_ten_is_shown_and_a_smaller_one_hidden(self, shop: Till, doors: Doors) -> None:
        """One settled: hidden, and the smallest other cell with it, from which it could be told."""
        for _ in range(LEAST + 2):
            await shop.act(await shop.opened(), "cancel")
        await shop.to("settling")
        running = quarters.over(clock.today()).next
        await shop.pass_by(days=(running.next.first - clock.today()).days)
        async with doors.work("jobs") as session:
            made = await measures.make(session, quarter=running)
            assert await measures.make(session, quarter=running) is None
        assert made is not None
        told = {one.act: (one.times, one.holders, one.amount, one.suppressed) for one in made.measures}
        assert told["open"] == (LEAST + 3, LEAST + 3, 10000 * (LEAST + 3), False)
        assert told["settle"] == told["cancel"] == (None, None, None, True)

"""The day's orders: one key, sums that add up, each step on exactly one day, and nobody else's."""

import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
import pytest_asyncio

from core import clock
from core.clock import CITY_ZONE
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

    async def test_whatever_the_instant_a_step_is_on_one_day(self, shop: Till, doors: Doors) -> None:
        """Around three midnights, to the microsecond, thirty times: on its own day alone; days add up to orders."""
        pool, first = await doors.pool(), clock.today()
        midnights = [datetime.combine(first + timedelta(days=n), time(), CITY_ZONE) for n in range(4)]
        edges = [at + timedelta(microseconds=by) for at in midnights[1:] for by in (-100_000, -1, 0, 1)]
        for number in range(3):
            one = await shop.to("settling", out_order_no=f"N-{number}")
            await shop.act(one, "reverse", items=[{"line": 1, "amount": 100 * (number + 1)}])
        await shop.pass_by(days=4)
        steps = await shop.city.rows("select order_id, seq, amount from incentives.order_step where amount is not null")
        chance = random.Random(7)  # noqa: S311  (which instants are tried)
        for _ in range(30):
            told: Counter[date] = Counter()
            moves = {(step["order_id"], step["seq"]): chance.choice(edges) for step in steps}
            await _put(shop, moves)
            found = Counter()
            for day in (first + timedelta(days=n) for n in range(-1, 5)):
                read = await dayorders.read(pool, token=shop.token, day=day, after=None, most=99)
                told[day] = len(read.lines)
                found.update({kind: one.amount for kind, one in read.sums.items()})
                assert sum(one.times for one in read.sums.values()) == len(read.lines)
                assert all(line.at.astimezone(CITY_ZONE).date() == day for line in read.lines)
            assert +told == Counter(at.astimezone(CITY_ZONE).date() for at in moves.values())
            assert (found["opened"], found["settled"], found["reversed"]) == (30000, 1500, 600)

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


async def _put(shop: Till, moves: dict[tuple[uuid.UUID, int], datetime]) -> None:
    """Have steps been made at these instants."""
    await shop.city.do(
        "update incentives.order_step s set at = m.at from unnest(cast(:orders as uuid[]), cast(:seqs as integer[]), "
        "cast(:ats as timestamptz[])) m (order_id, seq, at) where (s.order_id, s.seq) = (m.order_id, m.seq)",
        orders=[order for order, _ in moves], seqs=[seq for _, seq in moves],
        ats=[at.astimezone(UTC) for at in moves.values()],
    )  # fmt: skip

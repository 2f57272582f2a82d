"""Passes: each visit counted once, never too many, and given back by visits, never more than was paid."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from core import clock
from core.db import Doors
from core.errors import Problem
from core.keys import Keyring
from core.lifecycle import IllegalTransition
from incentives.book import admissions
from incentives.book.admissions import Admission
from incentives.eligibility import Gate
from incentives.orders import counter, holders, rounds
from incentives.orders.counter import Order, Visit
from incentives.orders.refusals import PassUsed, VisitElsewhere, VisitRefused
from tests.gateworld import world
from tests.incentives.orders.test_races import db_doors, together
from tests.orderworld import SCOPE, Till, till

TERMS = Admission(days=365, begins="first_visit", per_day=2, visit_price=3000, visits=5)


def perk(terms: Admission = TERMS) -> dict[str, Any]:
    """A perk that sells passes at 20.00 less."""
    return {"kind": "annual_pass", "percent": 0, "minus": 2000, "cap": 2000, "admission": msgspec.to_builtins(terms)}


@pytest_asyncio.fixture
async def gate(database: str, doors: Doors) -> AsyncIterator[Till]:
    """A garden that sells passes for 120.00, five visits, two a day."""
    async with till(database, doors, **perk()) as made:
        await made.budget(per="citizen", every="year", count=1)
        yield made


async def sold(gate: Till, **more: Any) -> Order:
    """A pass."""
    return await gate.opened(deposit=12000, **more)


async def come(gate: Till, order: Order, visit: str = "", at: datetime | None = None) -> Order:
    """One visit."""
    given = {"visit_id": visit or secrets.token_hex(8), **({"visited_at": at.isoformat()} if at else {})}
    return await gate.act(order, "visit", **given)


class TestVisits:
    """Counting."""

    async def test_the_first_visit_begins_the_year(self, gate: Till) -> None:
        """From then on the last day is known; what is left goes down by one."""
        order = await sold(gate)
        assert order.admission is not None
        assert (order.admission.form, order.admission.valid_until, order.admission.refund) == ("pass", None, 10000)
        after = (await come(gate, order)).admission
        assert after is not None
        assert after.valid_until == clock.today() + timedelta(days=364)
        assert (after.visits, after.visits_left, after.refund) == (1, 4, 7000)

    async def test_a_visit_is_counted_once(self, gate: Till) -> None:
        """Its id again, under the same key or another one, changes nothing; for another pass it is a conflict."""
        order = await sold(gate)
        first = await come(gate, order, "v1")
        again = await come(gate, first, "v1")
        assert (again.seq, again.admission) == (first.seq, first.admission)
        with pytest.raises(VisitElsewhere):
            await come(gate, await sold(gate), "v1")

    async def test_no_more_than_a_day_allows(self, gate: Till) -> None:
        """The third visit of a day is refused, the next day has room; after five the pass is used up."""
        order = await sold(gate)
        for day in range(3):
            for _ in range(2 if day < 2 else 1):
                await come(gate, order)
            with pytest.raises(VisitRefused):
                await come(gate, order)
            await gate.pass_by(days=1)
        with pytest.raises(VisitRefused):
            await come(gate, order)

    async def test_a_day_without_a_line_is_counted_by_its_own_day(self, gate: Till) -> None:
        """Visits of yesterday are yesterday's, in any order; one before the sale or to come is none."""
        order = await sold(gate)
        await gate.pass_by(days=1)
        yesterday = clock.civil() - timedelta(hours=23)
        for _ in range(2):
            await come(gate, order)
        for _ in range(2):
            await come(gate, order, at=yesterday)
        for wrong in (yesterday, clock.civil() - timedelta(days=9), clock.civil() + timedelta(hours=1)):
            with pytest.raises(Problem):
                await come(gate, order, at=wrong)

    async def test_of_many_gates_two_admit(self, gate: Till) -> None:
        """Sixteen at once by the text of the pass: two visits a day are two."""
        order = await sold(gate)
        rows = await gate.city.rows("select number from incentives.perk_order where object = :id", id=order.order_id)
        await together(
            *(counter.admit(gate.gate, token=gate.token, visit=Visit(rows[0]["number"], f"g{n}")) for n in range(16))
        )
        now = (await counter.find(gate.gate, token=gate.token, number=order.out_order_no)).orders[0]
        assert now.admission is not None
        assert now.admission.visits == 2


class TestGivenBack:
    """Returning a pass, and its end."""

    async def test_unused_it_is_cancelled_as_if_it_had_never_been(self, gate: Till) -> None:
        """Everything is given back; used, it is settled by its rule instead."""
        await gate.act(await sold(gate), "cancel")
        assert await gate.books() == ([], [])
        order = await come(gate, await sold(gate))
        with pytest.raises(PassUsed):
            await gate.act(order, "cancel")

    async def test_used_visits_are_charged_by_the_published_price(self, gate: Till) -> None:
        """Two visits at 30.00 of 100.00 that were paid: 40.00 are to be given back."""
        order = await come(gate, await come(gate, await sold(gate)))
        done = await gate.act(order, "settle")
        assert done.settlement is not None
        told = (done.status, done.settlement.charge, done.settlement.paid, done.settlement.refund_due)
        assert told == ("settled", 6000, 10000, 4000)
        with pytest.raises(IllegalTransition):
            await come(gate, done)

    async def test_never_more_than_was_paid(self, gate: Till) -> None:
        """After four visits nothing is left to give back."""
        order = await sold(gate)
        for _ in range(4):
            await come(gate, order)
            await gate.pass_by(days=1)
        done = await gate.act(order, "settle")
        assert done.settlement is not None
        assert (done.settlement.charge, done.settlement.refund_due) == (10000, 0)

    async def test_after_its_year_it_is_over(self, gate: Till, doors: Doors) -> None:
        """Settled by itself as it was paid, three days after its last day: the last visits can still be told."""
        order = await come(gate, await sold(gate))
        await gate.pass_by(days=366)
        with pytest.raises(VisitRefused):
            await come(gate, order)
        await gate.pass_by(days=3)
        await rounds.keep(doors)
        done = (await counter.find(gate.gate, token=gate.token, number=order.out_order_no)).orders[0]
        assert done.settlement is not None
        assert (done.status, done.settlement.charge, done.settlement.refund_due) == ("settled", 10000, 0)

    async def test_who_leaves_gets_back_what_is_not_used(self, gate: Till, doors: Doors) -> None:
        """30 days after the wish to leave the pass is settled by its visits, whose days are forgotten with the link."""
        citizen = await gate.city.citizen()
        order = await come(gate, await sold(gate, citizen=citizen))
        _, proof = await gate.city.logged_in(citizen)
        async with doors.work("citizen", proof=proof) as session:
            assert [one.order_id for one in await holders.closing(session)] == [order.order_id]
        await gate.pass_by(days=30)
        await rounds.keep(doors)
        done = (await counter.find(gate.gate, token=gate.token, number=order.out_order_no)).orders[0]
        assert done.settlement is not None
        assert (done.status, done.settlement.refund_due) == ("closed", 7000)
        assert await gate.city.rows("select 1 from incentives.visit") == []


class TestRefund:
    """`admissions.refund`, the twin of `incentives.refund_of`."""

    @given(
        price=st.integers(0, 10**7), less=st.integers(0, 10**7), each=st.integers(0, 10**6), used=st.integers(0, 400)
    )
    def test_nobody_who_paid_less_keeps_more_to_pay(self, price: int, less: int, each: int, used: int) -> None:
        """Never below nothing, never above what was paid, and a holder's cost is never above a stranger's."""
        terms = msgspec.structs.replace(TERMS, visit_price=each)
        paid = max(price - less, 0)
        mine, theirs = admissions.refund(terms, paid, used), admissions.refund(terms, price, used)
        assert 0 <= mine <= paid
        assert paid - mine <= price - theirs


ACTS = st.sampled_from(["visit", "visit", "visit", "again", "early", "late", "settle", "cancel", "day", "keep"])
BATCHES = st.lists(st.lists(st.tuples(ACTS, st.integers(0, 5)), min_size=1, max_size=6), min_size=1, max_size=7)


class TestInterleavings:
    """Random acts, several at once on connections of their own."""

    @settings(
        max_examples=6,
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @example(batches=[[("visit", 5)], [("settle", 2)], [("day", 5), ("day", 5), ("day", 1)], [("late", 2)]])
    @given(batches=BATCHES)
    def test_visits_are_counted_once_and_refunds_fit(self, database: str, ring: Keyring, batches: Any) -> None:
        """The counter is always the number of different visits, no day has too many, no refund is too much.

        The days themselves are kept until the order is closed.
        """
        asyncio.run(self._play(database, ring, batches))

    async def _play(self, database: str, ring: Keyring, batches: list[list[tuple[str, int]]]) -> None:
        doors = db_doors(database, ring)
        async with world(database) as city:
            await city.do("delete from core.civil_offset")
            name, perk_id = f"p_{secrets.token_hex(4)}", f"tourism.{secrets.token_hex(4)}"
            await city.perk(perk_id, **perk())
            await city.partner(name, perks=(perk_id,))
            token = await city.token(name, scope=SCOPE, seconds=10**8)
            shop = Till(city, Gate(await doors.pool(), b"k" * 32), token, name)
            order = await sold(shop, perk=perk_id)
            for batch in batches:
                await together(*(self._do(shop, doors, order, act, pick) for act, pick in batch))
                await self._check(shop, order)
        await doors.close()
        clock.move(timedelta(0))

    async def _do(self, shop: Till, doors: Doors, order: Order, act: str, pick: int) -> None:
        match act:
            case "visit":
                await come(shop, order)
            case "again":
                await come(shop, order, f"{order.order_id}-{pick}")
            case "early":
                await come(shop, order, at=clock.civil() - timedelta(days=pick))
            case "late":
                await come(shop, order, at=clock.civil() + timedelta(days=pick))
            case "day":
                await shop.pass_by(days=pick * 30)
            case "keep":
                await rounds.keep(doors)
            case _:
                await shop.act(order, act)

    async def _check(self, shop: Till, order: Order) -> None:
        (row,) = await shop.city.rows(_COUNTED, id=order.order_id)
        assert row["visits"] == row["steps"]
        assert row["rows"] == (0 if row["status"] == "closed" else row["visits"])
        assert row["visits"] <= (TERMS.visits or 0)
        assert (row["most"] or 0) <= TERMS.per_day
        if row["charge"] is not None:
            owed = admissions.refund(TERMS, row["payable"], row["visits"])
            assert row["paid"] == row["payable"]
            assert row["paid"] - row["charge"] in {owed, 0}
            assert 0 <= row["paid"] - row["charge"] <= row["paid"]


_COUNTED = """
select o.status, o.visits, o.charge, o.paid, o.payable, count(v.visit_id) as rows,
  (select count(*) from incentives.order_step s where s.order_id = o.id and s.event = 'visit') as steps,
  (select max(n) from (select count(*) as n from incentives.visit w where w.order_id = o.id group by w.day) d) as most
from incentives.perk_order o left join incentives.visit v on v.order_id = o.id where o.object = :id
group by o.id, o.status, o.visits, o.charge, o.paid, o.payable
"""


@pytest.fixture(autouse=True)
def still() -> Any:
    """The civil clock of this process is where it was."""
    yield
    clock.move(timedelta(0))

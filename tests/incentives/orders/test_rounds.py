"""What the clocks do when nobody does anything, and what the citizen and the office can do about it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from core import ids
from core.db import Doors
from core.errors import Invalid, NotFound
from core.lifecycle import IllegalTransition
from incentives.orders import counter, holders, reviews, rounds
from incentives.orders.counter import PREFIX, Order
from incentives.orders.courses import ORDER
from incentives.orders.holders import Held
from incentives.orders.reviews import Look
from tests.orderworld import Till, till


class Street:
    """A till with its city: a citizen at home, an office."""

    def __init__(self, shop: Till, doors: Doors, proof: bytes, desk: bytes) -> None:
        """`proof` is the citizen's, `desk` the office's token."""
        self.shop, self.doors, self.proof, self.desk = shop, doors, proof, desk
        self.citizen: Any = None

    async def now(self, order: Order) -> Order:
        """How it stands after a round."""
        await rounds.keep(self.doors)
        found = await counter.find(self.shop.gate, token=self.shop.token, number=order.out_order_no)
        return found.orders[0]

    async def says(self, order: Order, event: str, reason: str | None = None) -> Held:
        """The citizen's word."""
        async with self.doors.work("citizen", proof=self.proof) as session:
            return await holders.act(session, order_id=ids.read(PREFIX, order.order_id), event=event, reason=reason)

    async def judges(self, order: Order, event: Any, **more: Any) -> Held:
        """The office's decision."""
        look = Look(self.desk, "K001", "review")
        async with self.doors.work("staff") as session:
            return await reviews.decide(
                session, look=look, order_id=ids.read(PREFIX, order.order_id), shown=order.order_id, event=event,
                answer="reasons", **more,
            )  # fmt: skip


@pytest_asyncio.fixture
async def street(database: str, doors: Doors) -> AsyncIterator[Street]:
    """Somebody with points, logged in; a library; an office."""
    async with till(database, doors) as shop:
        citizen = await shop.city.citizen()
        _, proof = await shop.city.logged_in(citizen)
        await shop.city.do("update auth.consent set expires_at = expires_at + interval '10 years'")
        await shop.city.partner("s_orders", perks=(), role="staff")
        made = Street(shop, doors, proof, await shop.city.token("s_orders", scope="staff:orders", seconds=10**8))
        shop.token = await shop.city.token("p_library", scope="eligibility:check orders:write", seconds=10**8)
        made.citizen = citizen
        yield made


class TestClocks:
    """Time passes."""

    async def test_what_is_not_fetched_expires(self, street: Street) -> None:
        """After 24 hours, and everything reserved is free; a late start is told to check again."""
        order = await street.shop.opened(street.citizen)
        await street.shop.pass_by(hours=23)
        assert (await street.now(order)).status == "open"
        await street.shop.pass_by(hours=2)
        assert (await street.now(order)).status == "expired"
        assert await street.shop.books() == ([], [])
        with pytest.raises(IllegalTransition, match="fresh check"):
            await street.shop.act(order, "start")

    async def test_the_clock_counts_before_the_round_comes(self, street: Street) -> None:
        """Whoever acts on an order whose time is over finds it over."""
        order = await street.shop.opened(street.citizen)
        await street.shop.pass_by(hours=25)
        with pytest.raises(IllegalTransition):
            await street.shop.act(order, "start")
        assert (await street.shop.city.rows("select status from incentives.perk_order"))[0]["status"] == "expired"

    async def test_who_is_silent_after_a_return_gets_nothing(self, street: Street) -> None:
        """72 hours unsettled: settled at nothing."""
        order = await street.shop.to("returned", street.citizen)
        await street.shop.pass_by(hours=73)
        settled = await street.now(order)
        assert settled.settlement is not None
        assert (settled.status, settled.settlement.charge) == ("settled", 0)

    async def test_an_unpaid_charge(self, street: Street) -> None:
        """Overdue after 14 days, reminders on days 1, 3 and 7, and then nothing but a person's review."""
        order = await street.shop.to("settling", street.citizen)
        await street.shop.pass_by(days=14, hours=1)
        assert ((await street.now(order)).status, (await street.now(order)).next) == ("overdue", "remind")
        await street.shop.pass_by(days=8)
        waiting = await street.now(order)
        assert (waiting.status, waiting.seq, waiting.next) == ("overdue", 8, "write_off")
        await street.shop.pass_by(days=23)
        assert (await street.now(order)).status == "overdue"

    async def test_every_order_ends_by_itself(self, street: Street) -> None:
        """From every state, with nobody doing anything, each step is one that the clock may make."""
        wanted = {}
        for state in ("open", "active", "returned", "settling", "settled"):
            wanted[state] = await street.shop.to(state, await street.shop.city.citizen())
        stopped = await street.shop.to("active", street.citizen)
        await street.says(stopped, "report-fault")
        disputed = await street.shop.to("settling", street.citizen)
        await street.says(disputed, "dispute", "amount")
        await street.shop.pass_by(days=800)
        for order in (*wanted.values(), stopped, disputed):
            assert (await street.now(order)).status in ORDER.final
        assert await street.shop.books() == ([], [])
        left = await street.shop.city.rows("select 1 from incentives.perk_order where citizen_id is not null")
        assert left == []
        steps = await street.shop.city.rows("select order_id, seq from incentives.order_step order by 1, 2")
        numbers: dict[Any, list[int]] = {}
        for step in steps:
            numbers.setdefault(step["order_id"], []).append(step["seq"])
        assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())

    async def test_each_step_has_its_event(self, street: Street) -> None:
        """As many events as steps, with the same numbers and states."""
        await street.shop.to("settling", street.citizen)
        await street.shop.pass_by(days=40)
        await rounds.keep(street.doors)
        query = (
            "select o.object, s.seq, s.status from incentives.order_step s "
            "join incentives.perk_order o on o.id = s.order_id"
        )
        told = await street.shop.city.rows("select object, seq, data->>'status' as status from incentives.event")
        assert sorted(map(str, told)) == sorted(map(str, await street.shop.city.rows(query)))


class TestCitizen:
    """A fault, a dispute."""

    async def test_a_fault_ends_the_use_when_it_was_reported(self, street: Street) -> None:
        """Unanswered for 24 hours: returned at the time of the report."""
        order = await street.shop.to("active", street.citizen)
        said = await street.says(order, "report-fault")
        assert said.order.status == "clock_stopped"
        await street.shop.pass_by(hours=25)
        back = await street.now(order)
        assert back.status == "returned"
        assert back.returned_at is not None
        assert back.returned_at - said.more.history[-1].at < timedelta(seconds=5)

    async def test_a_dispute_is_upheld_if_nobody_answers(self, street: Street) -> None:
        """30 days: the whole charge is forgiven."""
        order = await street.shop.to("settling", street.citizen)
        await street.says(order, "dispute", "broken")
        await street.shop.pass_by(days=31)
        settled = await street.now(order)
        assert settled.settlement is not None
        assert (settled.status, settled.settlement.forgiven, settled.settlement.due) == ("settled", 500, 0)

    async def test_a_charge_is_disputed_once(self, street: Street) -> None:
        """The answer stands."""
        order = await street.shop.to("settling", street.citizen)
        await street.says(order, "dispute", "amount")
        assert (await street.judges(order, "reject")).order.status == "settling"
        with pytest.raises(holders.Disputed):
            await street.says(order, "dispute", "amount")

    async def test_a_refund_does_not_end_a_dispute(self, street: Street) -> None:
        """Only when nothing is charged any more."""
        order = await street.shop.to("settled", street.citizen)
        await street.says(order, "dispute", "amount")
        back = {"items": [{"line": 1, "amount": 100}]}
        assert (await street.shop.act(order, "reverse", **back)).status == "disputed"
        back = {"items": [{"line": 1, "amount": 400}]}
        assert (await street.shop.act(order, "reverse", **back)).status == "settled"

    async def test_another_ones_order_is_absent(self, street: Street) -> None:
        """For their eyes and their words."""
        order = await street.shop.to("active")
        with pytest.raises(NotFound):
            await street.says(order, "report-fault")
        async with street.doors.work("citizen", proof=street.proof) as session:
            assert await holders.mine(session) == []

    async def test_who_wants_to_leave_waits_at_most_30_days(self, street: Street) -> None:
        """What runs closes by then; afterwards nothing leads from any order to them."""
        order = await street.shop.to("active", street.citizen)
        await street.shop.to("settled", street.citizen)
        async with street.doors.work("citizen", proof=street.proof) as session:
            assert [one.order_id for one in await holders.closing(session)] == [order.order_id]
        await street.shop.pass_by(days=30, hours=1)
        assert (await street.now(order)).status == "closed"
        async with street.doors.work("citizen", proof=street.proof) as session:
            assert await holders.closing(session) == []
            await holders.unlink(session)
        for table in ("perk_order", "exposure"):
            assert await street.shop.city.rows(f"select 1 from incentives.{table} where citizen_id is not null") == []


class TestOffice:
    """A person decides."""

    async def test_no_default_before_day_30_and_payment_cures_it(self, street: Street) -> None:
        """Then that perk alone is paused, without a word to the partner; paid, it is there again."""
        order = await street.shop.to("settling", street.citizen)
        await street.shop.pass_by(days=15)
        await street.now(order)
        with pytest.raises(reviews.TooEarly):
            await street.judges(order, "default")
        await street.shop.pass_by(days=30)
        assert (await street.judges(order, "default")).order.status == "defaulted"
        refused = (await street.shop.open(code=await street.shop.city.code(street.citizen))).order
        assert (refused.status, refused.reason) == ("standard_route", None)
        assert (await street.shop.act(order, "sync", paid_amount=500)).status == "settled"
        assert (await street.shop.opened(street.citizen)).status == "open"

    async def test_a_dispute_is_upheld_in_part(self, street: Street) -> None:
        """What remains is due again, for 14 days."""
        order = await street.shop.to("settling", street.citizen)
        await street.says(order, "dispute", "amount")
        with pytest.raises(Invalid):
            await street.judges(order, "uphold", charge=501)
        left = (await street.judges(order, "uphold", charge=200)).order
        assert left.settlement is not None
        assert (left.status, left.settlement.due, left.next) == ("settling", 200, "lapse")

    async def test_the_queue_and_the_reading(self, street: Street) -> None:
        """The queue names nobody; who opens an order leaves an entry that its citizen reads."""
        order = await street.shop.to("settling", street.citizen)
        await street.says(order, "dispute", "paid")
        async with street.doors.work("staff") as session:
            assert [one.order_id for one in await reviews.waiting(session, token=street.desk, most=9)] == [
                order.order_id
            ]
            assert await reviews.waiting(session, token=street.shop.token, most=9) == []
            look = Look(street.desk, "K001", "review")
            await reviews.read(session, look=look, order_id=ids.read(PREFIX, order.order_id), shown=order.order_id)
        entries = await street.shop.city.rows("select owner, detail from core.audit_entry where action = 'order.read'")
        assert entries == [{"owner": street.citizen, "detail": {"order": order.order_id, "clerk": "K001"}}]

    async def test_nothing_of_it_reaches_the_points(self, street: Street) -> None:
        """A default leaves the standing as it was."""
        before = await street.shop.city.rows("select * from scoring.standing order by 1")
        order = await street.shop.to("settling", street.citizen)
        await street.shop.pass_by(days=45)
        await street.judges(await street.now(order), "default")
        assert await street.shop.city.rows("select * from scoring.standing order by 1") == before

"""Tickets for a day: sold by lines, changed, taken back in part, used at the gate or not at all."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.db import Doors
from core.errors import Invalid
from core.lifecycle import IllegalTransition
from incentives.orders import counter, holders, rounds
from incentives.orders.counter import Done, Order, Visit
from incentives.orders.lines import Item
from incentives.orders.refusals import OtherDay
from tests.orderworld import Till, till

ITEMS = (Item("garden", 8000), Item("boat", 3001))


@pytest_asyncio.fixture
async def gate(database: str, doors: Doors) -> AsyncIterator[Till]:
    """A garden that sells tickets at 20 % less, at most 30.00, with a budget of the perk and of each citizen."""
    async with till(database, doors, kind="discount", percent=20, cap=3000) as made:
        await made.budget(per="perk", every="day", count=9, amount=9000)
        await made.budget(per="citizen", every="day", count=2)
        yield made


async def sold(gate: Till, *, in_days: int = 1, **more: Any) -> Order:
    """A ticket for a day to come."""
    return await gate.opened(deposit=None, visit_on=clock.today() + timedelta(days=in_days), items=ITEMS, **more)


async def number(gate: Till, order: Order) -> bytes:
    """What the ticket's text says."""
    rows = await gate.city.rows("select number from incentives.perk_order where object = :id", id=order.order_id)
    return rows[0]["number"]


def prices(order: Order) -> list[tuple[int, int, int]]:
    """Of each line: price, discount, taken back."""
    lines = order.settlement.items if order.settlement else order.admission and order.admission.lines
    return [(one.amount, one.waived, one.reversed) for one in lines or ()]


class TestSold:
    """Opening with `visit_on`."""

    async def test_the_discount_is_divided_to_the_last_fen(self, gate: Till) -> None:
        """The lines' prices and discounts add up to what is paid and waived."""
        order = await sold(gate)
        assert (order.waived_amount, order.payable_deposit) == (2200, 8801)
        assert prices(order) == [(6401, 1599, 0), (2400, 601, 0)]
        assert order.admission is not None
        assert (order.admission.form, order.admission.visit_on) == ("ticket", clock.today() + timedelta(days=1))
        assert order.course().allowed(order.status, by="partner") == ("settle", "extend", "reverse", "cancel")

    async def test_what_is_no_ticket(self, gate: Till) -> None:
        """A day gone by or too far ahead, another price than the lines', no tickets at all: the code stays good."""
        code = await gate.city.code(await gate.city.citizen())
        today = clock.today()
        for wrong in (today - timedelta(days=1), today + timedelta(days=31)):
            with pytest.raises(Invalid) as told:
                await gate.open(deposit=None, visit_on=wrong, items=ITEMS, code=code)
            assert told.value.errors[0].pointer == "/visit_on"
        with pytest.raises(Invalid):
            await gate.open(deposit=1, visit_on=today, items=ITEMS, code=code)
        await gate.city.do("update incentives.perk set kind = 'deposit_waiver'")
        with pytest.raises(Invalid):
            await gate.open(deposit=None, visit_on=today, items=ITEMS, code=code)
        await gate.city.do("update incentives.perk set kind = 'discount'")
        assert (await gate.open(deposit=None, visit_on=today, items=ITEMS, code=code)).order.status == "open"

    async def test_who_is_not_granted_pays_as_anybody(self, gate: Till) -> None:
        """The standard route has the whole price and is no ticket of ours."""
        code = await gate.city.code(await gate.city.citizen(500))
        order = (await gate.open(deposit=None, visit_on=clock.today(), items=ITEMS, code=code)).order
        assert (order.status, order.payable_deposit, order.admission) == ("standard_route", 11001, None)
        assert await gate.books() == ([], [])


class TestUsed:
    """Verification at the gate."""

    async def test_on_its_day_it_is_settled_and_paid(self, gate: Till) -> None:
        """One call: settled, nothing due, the budget stays used and the exposure is free."""
        order = await sold(gate, in_days=0)
        done = await gate.act(order, "settle")
        assert done.status == "settled"
        assert done.settlement is not None
        assert (done.settlement.charge, done.settlement.paid, done.settlement.due) == (8801, 8801, 0)
        held, used = await gate.books()
        assert (held, [(one["per"], one["waived"]) for one in used]) == ([], [("citizen", 2200), ("perk", 2200)])

    async def test_on_another_day_it_is_refused_with_its_day(self, gate: Till) -> None:
        """The refusal names the day and nothing else; on the day it is good."""
        order = await sold(gate)
        with pytest.raises(OtherDay) as told:
            await gate.act(order, "settle")
        assert told.value.more["visit_on"] == (clock.today() + timedelta(days=1)).isoformat()
        await gate.pass_by(days=1)
        assert (await gate.act(order, "settle")).status == "settled"

    async def test_a_gate_without_a_line_says_it_later(self, gate: Till) -> None:
        """Within three days after the visit; twice is once, and another gate is told that it was used."""
        order = await sold(gate, in_days=0)
        came, shown = clock.civil(), await number(gate, order)
        await gate.pass_by(days=2)
        for again in (False, True):
            visit = Visit(shown, "g1-0001", came)
            done = await counter.admit(gate.gate, token=gate.token, visit=visit)
            assert (done.order.status, done.replayed) == ("settled", again)
        with pytest.raises(IllegalTransition):
            await counter.admit(gate.gate, token=gate.token, visit=Visit(shown, "g2-0001", came))

    async def test_whoever_never_came_is_owed_nothing_for_it(self, gate: Till, doors: Doors) -> None:
        """Three days after its day the ticket expires; discount and budgets are as if it had never been."""
        before = await gate.books()
        order = await sold(gate)
        await gate.pass_by(days=3)
        await rounds.keep(doors)
        assert (await gate.city.rows("select status from incentives.perk_order"))[0]["status"] == "open"
        await gate.pass_by(days=3)
        await rounds.keep(doors)
        found = await counter.find(gate.gate, token=gate.token, number=order.out_order_no)
        assert found.orders[0].status == "expired"
        assert await gate.books() == before

    async def test_of_sixteen_gates_one_admits(self, gate: Till) -> None:
        """All at once with the same text: one settles it, the others are told."""
        order = await sold(gate, in_days=0)
        shown = await number(gate, order)
        acts = [counter.admit(gate.gate, token=gate.token, visit=Visit(shown, f"g{one}", None)) for one in range(16)]
        found = await asyncio.gather(*acts, return_exceptions=True)
        assert [isinstance(one, Done) for one in found].count(True) == 1
        assert {type(one) for one in found} == {Done, IllegalTransition}


class TestChanged:
    """Another day, or less of it."""

    async def test_the_day_is_changed_without_another_check(self, gate: Till) -> None:
        """Even after a withdrawal: it was granted when it was sold, and the partner learns nothing new."""
        order = await sold(gate)
        await gate.city.do("insert into auth.consent_end select id, 'withdrawn', now() from auth.consent")
        later = clock.today() + timedelta(days=9)
        moved = await gate.act(order, "extend", visit_on=later.isoformat())
        assert moved.admission is not None
        assert (moved.status, moved.admission.visit_on, moved.waived_amount) == ("open", later, 2200)
        with pytest.raises(Invalid):
            await gate.act(order, "extend", visit_on=(clock.today() + timedelta(days=31)).isoformat())
        with pytest.raises(Invalid):
            await gate.act(order, "extend", planned_end=clock.civil().isoformat())

    async def test_a_line_taken_back_gives_its_discount_back(self, gate: Till) -> None:
        """The price, the exposure and every budget fall by exactly what was in the line."""
        order = await sold(gate)
        less = await gate.act(order, "reverse", items=[{"line": 2, "amount": 2400}])
        assert (less.status, less.waived_amount, less.payable_deposit) == ("open", 1599, 6401)
        held, used = await gate.books()
        assert [one["waived"] for one in (*held, *used)] == [1599, 1599, 1599]
        await gate.pass_by(days=1)
        done = await gate.act(order, "settle")
        assert done.settlement is not None
        assert (done.settlement.charge, prices(done)) == (6401, [(6401, 1599, 0), (0, 0, 0)])

    async def test_all_of_it_is_a_cancellation(self, gate: Till) -> None:
        """Told so; and a cancellation gives everything back."""
        order = await sold(gate)
        with pytest.raises(Invalid) as told:
            await gate.act(order, "reverse", items=[{"line": 1, "amount": 6401}, {"line": 2, "amount": 2400}])
        assert told.value.errors[0].code == "cancel_instead"
        await gate.act(order, "reverse", items=[{"line": 1, "amount": 1}])
        assert (await gate.act(order, "cancel")).status == "cancelled"
        assert await gate.books() == ([], [])

    async def test_a_refund_after_the_visit(self, gate: Till) -> None:
        """The boat did not go: its price is to be returned, its discount is free again."""
        order = await gate.act(await sold(gate, in_days=0), "settle")
        back = await gate.act(order, "reverse", items=[{"line": 2, "amount": 2400}])
        assert back.settlement is not None
        assert (back.status, back.settlement.refund_due, back.waived_amount) == ("settled", 2400, 1599)
        assert [one["waived"] for one in (await gate.books())[1]] == [1599, 1599]

    async def test_what_a_ticket_does_not_know(self, gate: Till) -> None:
        """It is not started, returned or charged by lines; and a plain order knows no visit."""
        order = await sold(gate, in_days=0)
        for action in ("start", "return", "visit", "sync"):
            with pytest.raises(IllegalTransition) as told:
                await gate.act(order, action, paid_amount=1, visit_id="x")
            assert told.value.more["allowed_actions"] == ["cancel", "extend", "reverse", "settle"]
        with pytest.raises(Invalid):
            await gate.act(order, "settle", items=[{"name": "garden", "amount": 1}])
        plain = await gate.opened(deposit=100)
        for action in ("settle", "visit", "reverse"):
            with pytest.raises(IllegalTransition):
                await gate.act(plain, action, items=[], visit_id="x")


class TestLeaving:
    """A ticket is no mere reservation."""

    async def test_who_leaves_is_told_of_it(self, gate: Till, doors: Doors) -> None:
        """It stays good for 30 days and keeps nobody longer; what was only reserved keeps nobody at all."""
        citizen = await gate.city.citizen()
        order = await sold(gate, citizen=citizen, in_days=30)
        await gate.opened(citizen, deposit=100)
        _, proof = await gate.city.logged_in(citizen)
        async with doors.work("citizen", proof=proof) as session:
            (told,) = await holders.closing(session)
        assert (told.order_id, told.status, told.next) == (order.order_id, "open", "expire")
        assert told.next_at is not None
        assert told.next_at - clock.civil() < timedelta(days=30)


class TestApportioned:
    """`incentives.ticket_lines` and `share_of`."""

    @given(
        amounts=st.lists(st.integers(0, 100_000_000), min_size=1, max_size=12),
        part=st.integers(0, 100),
        cuts=st.lists(st.integers(0, 100), min_size=1, max_size=12),
    )
    def test_discounts_add_up_and_come_back_whole(self, amounts: list[int], part: int, cuts: list[int]) -> None:
        """No line's discount is above its price; the sum is the discount; pieces of a line give all of it back."""
        total = sum(amounts)
        waived, upto, given_back = total * part // 100, 0, 0
        for amount, cut in zip(amounts, cuts * 12, strict=False):
            upto += amount
            share = (waived * upto // total - waived * (upto - amount) // total) if total else 0
            assert 0 <= share <= amount
            price = amount - share
            taken = [price * cut // 100, price]
            returned = [share * one // price if price else 0 for one in taken]
            assert returned == sorted(returned)
            assert returned[-1] == (share if price else 0)
            given_back += share
        assert given_back == waived


class TestLines:
    """A perk that lists what lines may be called: a hospital's."""

    @pytest.mark.parametrize("name", ["糖尿病", "药费（高血压）", "HIV", "药费 ", "抑郁症复诊"])
    async def test_no_diagnosis_leaves_a_hospital(self, gate: Till, name: str) -> None:
        """Neither as a line of an order or a settlement, nor as a terminal; nothing of it is kept or said again."""
        await gate.city.do(
            "update incentives.perk set lines = '{药费}', terminals = '{fee-1}', kind = 'pay_later', percent = 100"
        )
        code = await gate.city.code(await gate.city.citizen())
        wrong = (Item(name, 100),)
        for more in ({"items": wrong}, {"terminal": name}):
            with pytest.raises(Invalid) as told:
                await gate.open(code=code, **more)
            assert name not in str(told.value.detail) + str(told.value.errors)
        order = (await gate.open(code=code, terminal="fee-1")).order
        assert order.status == "open", order
        await gate.act(order, "start")
        with pytest.raises(Invalid):
            await gate.act(order, "return", evidence={"sha256": "0", "terminal": name})
        await gate.act(order, "return")
        with pytest.raises(Invalid):
            await gate.act(order, "settle", items=[{"name": name, "amount": 100}])
        assert (await gate.act(order, "settle", items=[{"name": "药费", "amount": 100}])).status == "settling"
        for table in ("perk_order", "order_step", "event", "decision"):
            rows = await gate.city.rows(f"select t::text as row from incentives.{table} t")
            assert not [one for one in rows if name.strip() != "药费" and name in one["row"]]
        entries = await gate.city.rows("select detail::text as row from core.audit_entry")
        assert not [one for one in entries if name.strip() != "药费" and name in one["row"]]

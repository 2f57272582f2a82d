"""A check knows what an order would find: nobody is sent to a counter with a grant that the order then refuses."""

import uuid
from collections.abc import AsyncIterator

import pytest_asyncio

from core.db import Doors
from incentives.eligibility import Question, Verdict
from tests.gateworld import LIBRARY
from tests.orderworld import Till, till


@pytest_asyncio.fixture
async def shop(database: str, doors: Doors) -> AsyncIterator[Till]:
    """A library's till."""
    async with till(database, doors) as made:
        yield made


async def checked(shop: Till, citizen: uuid.UUID, amount: int | None = 10000) -> tuple[Verdict, str | None]:
    """A check about somebody by a code, alone and in a list; and the cause that they alone read."""
    found: list[tuple[bool, str | None]] = []
    for listed in (True, False):
        code = await shop.city.code(citizen, LIBRARY)
        question = Question(LIBRARY, code=code, amount=amount)
        if listed:
            (verdict,) = await shop.gate.check_all([question], token=shop.token)
        else:
            verdict = await shop.gate.check(question, token=shop.token)
        found.append((verdict.granted, verdict.reason))
    assert found[0] == found[1], "alone and in a list"
    rows = await shop.city.rows("select detail from core.audit_entry order by at desc, id desc limit 1")
    return verdict, rows[0]["detail"].get("cause")


class TestCheck:
    """What orders say to a check."""

    async def test_a_spent_budget_is_named_to_everybody(self, shop: Till) -> None:
        """It is about the perk: who has the points and who has not hear the same, and the code is not used up."""
        await shop.budget(per="perk", every="day", count=1)
        await shop.opened()
        for points in (1300, 900):
            verdict, _ = await checked(shop, await shop.city.citizen(points))
            assert (verdict.granted, verdict.reason) == (False, "budget_spent")
        assert not await shop.city.rows("select 1 from incentives.credit_code_use u where decision_id <> all "
                                        "(select decision_id from incentives.perk_order)")  # fmt: skip

    async def test_three_running_orders_leave_no_room(self, shop: Till) -> None:
        """The partner reads nothing but the standard route; the citizen reads why, and a return makes room."""
        citizen = await shop.city.citizen()
        orders = [await shop.opened(citizen, deposit=1000) for _ in range(3)]
        verdict, cause = await checked(shop, citizen, amount=1000)
        assert (verdict.granted, verdict.reason, cause) == (False, None, "exposure")
        await shop.act(orders[0], "cancel")
        verdict, cause = await checked(shop, citizen, amount=1000)
        assert (verdict.granted, cause) == (True, None)

    async def test_the_cap_is_for_what_runs_together(self, shop: Till) -> None:
        """300.00 in all: 200.00 out leave room for 100.00 and for no more."""
        citizen = await shop.city.citizen()
        await shop.opened(citizen, deposit=20000)
        assert [(await checked(shop, citizen, amount=amount))[0].granted for amount in (10000, 10001)] == [True, False]

    async def test_a_discount_is_gone_with_the_sale(self, shop: Till) -> None:
        """What a discount took off is no running risk: the cap is for each sale."""
        await shop.city.do("update incentives.perk set kind = 'discount'")
        citizen = await shop.city.citizen()
        assert (await shop.opened(citizen, deposit=30000)).waived_amount == 30000
        assert (await shop.opened(citizen, deposit=30000)).waived_amount == 30000

    async def test_the_citizens_own_budget(self, shop: Till) -> None:
        """Who has used theirs up gets the standard route without a reason; others do not."""
        await shop.budget(per="citizen", every="day", count=1)
        citizen = await shop.city.citizen()
        await shop.to("settled", citizen)
        verdict, cause = await checked(shop, citizen)
        assert (verdict.granted, verdict.reason, cause) == (False, None, "citizen")
        assert (await checked(shop, await shop.city.citizen()))[0].granted

    async def test_points_come_first(self, shop: Till) -> None:
        """Whoever has not the points reads that, whatever their orders say."""
        citizen = await shop.city.citizen()
        for _ in range(3):
            await shop.opened(citizen, deposit=1000)
        await shop.city.do("update scoring.standing set points = 900")
        assert (await checked(shop, citizen))[1] == "below"

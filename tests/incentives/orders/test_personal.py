"""What a partner learns of a holder from an order: nothing. The same bytes whatever the personal cause."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import pytest_asyncio

from core import ids
from core.db import Doors
from incentives.orders.counter import Order
from tests.orderworld import Till, till

CAUSES = (
    "unknown_holder", "not_enrolled", "withdrawn", "consent_expired", "share_ended", "not_computed", "held", "below",
    "exposure", "citizen", "paused",
)  # fmt: skip


@pytest_asyncio.fixture
async def shop(database: str, doors: Doors) -> AsyncIterator[Till]:
    """A library's till, with a budget a citizen."""
    async with till(database, doors) as made:
        await made.budget(per="citizen", every="ever", count=4)
        yield made


async def holder(shop: Till, cause: str) -> str:
    """The subject of somebody who does not get the perk, for this cause."""
    city = shop.city
    if cause == "unknown_holder":
        return ids.show("su", ids.random())
    citizen = ids.new() if cause in {"not_enrolled", "withdrawn", "consent_expired", "not_computed"} else None
    if citizen is None:
        citizen = await city.citizen(500 if cause == "below" else 1300, held=cause == "held")
    if cause in {"withdrawn", "not_computed"}:
        await city.consent(citizen, ended="withdrawn" if cause == "withdrawn" else None)
    if cause == "consent_expired":
        await city.consent(citizen, expires_in=timedelta(seconds=-1))
    subject = await city.share(citizen, ended="withdrawn" if cause == "share_ended" else None)
    for _ in range({"exposure": 3, "citizen": 4, "paused": 1}.get(cause, 0)):
        order = (await shop.open(subject=subject, deposit=100)).order
        assert order.status == "open"
        if cause == "citizen":
            await shop.act(order, "start")
            await shop.act(order, "return")
            await shop.act(order, "settle", items=[])
    if cause == "paused":
        await city.do("update incentives.perk_order set status = 'defaulted'")
    return subject


def told(order: Order) -> bytes:
    """The answer but for ids and times."""
    return msgspec.json.encode(
        msgspec.structs.replace(order, order_id="", out_order_no="", opened_at=datetime(2026, 1, 1, tzinfo=UTC))
    )


class TestCauses:
    """Every personal cause."""

    async def test_the_bytes_are_the_same(self, shop: Till) -> None:
        """Status, amounts, number of steps, what the clock does: alike, with one step, one event and one entry."""
        answers = set()
        for cause in CAUSES:
            subject = await holder(shop, cause)
            before = await sizes(shop)
            order = (await shop.open(subject=subject, deposit=5000, terminal="desk 1")).order
            assert (order.status, order.reason) == ("standard_route", None), cause
            answers.add(told(order))
            after = await sizes(shop)
            assert {name: after[name] - count for name, count in before.items()} == {
                "incentives.perk_order": 1, "incentives.order_step": 1, "incentives.event": 1, "core.audit_entry": 2,
            }, cause  # fmt: skip
        assert len(answers) == 1

    @pytest.mark.parametrize("cause", CAUSES)
    async def test_the_cause_is_the_holders_alone(self, shop: Till, cause: str) -> None:
        """They read it in the entry of the order."""
        order = (await shop.open(subject=await holder(shop, cause), deposit=5000)).order
        rows = await shop.city.rows(
            "select detail from core.audit_entry where action = 'order.open' and detail->>'order' = :id",
            id=order.order_id,
        )
        assert [row["detail"].get("cause") for row in rows] == [cause]


async def sizes(shop: Till) -> dict[str, int]:
    """How many rows there are of what an opening writes."""
    tables = ("incentives.perk_order", "incentives.order_step", "incentives.event", "core.audit_entry")
    return {name: (await shop.city.rows(f"select count(*) as n from {name}"))[0]["n"] for name in tables}

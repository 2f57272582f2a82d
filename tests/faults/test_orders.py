"""SIGKILL under 64-way order load: nothing lost, nothing doubled, every webhook arrives, and sending again is safe."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest_asyncio

from core import embedded, ids
from core.keys import Keyring
from tests.api.identity.client import Caller
from tests.clones import clone
from tests.faults.deployment import LIBRARY, Deployment, tell
from tests.gateworld import world
from tests.receiver import Receiver, opened

ORDERS = "/v1/partner/orders"
LOAD = 64


@pytest_asyncio.fixture
async def city(
    cluster: embedded.Cluster, city_template: str, ring: Keyring, tmp_path: Path
) -> AsyncIterator[Deployment]:
    """A city in a process of its own, the shipped rule book in force."""
    async with clone(cluster, city_template) as url:
        made = Deployment(url, ring.file, log=tmp_path / "server.log")
        await made.start()
        yield made
        await made.close()


async def holders(city: Deployment, partner: str) -> list[str]:
    """Subjects of people who get the perk, each of whom this partner may ask about."""
    async with world(city.settings.database_url) as laid:
        return [await laid.share(await laid.citizen(1900), partner) for _ in range(LOAD)]


async def open_one(partner: Caller, subject: str, number: str) -> httpx2.Response | None:
    """One opening, with its number as its key; None where nothing came back."""
    body = {"out_order_no": number, "perk": LIBRARY, "holder": {"subject": subject}, "deposit": 1000}
    try:
        return await partner.request("POST", ORDERS, json=body, headers={"Idempotency-Key": number})
    except httpx2.TransportError:
        return None


async def until_told(partner: Caller, subject: str, number: str) -> dict[str, Any]:
    """The same request again and again, until it is answered."""
    async with asyncio.timeout(90):
        while True:
            answer = await open_one(partner, subject, number)
            if answer is not None and answer.status_code == 201:
                return answer.json()
            assert answer is None or answer.status_code in {503, 401} or answer.json()["retryable"], answer.text
            await asyncio.sleep(0.05)


class TestKilled:
    """The server dies under load."""

    async def test_nothing_is_lost_and_nothing_doubled(self, city: Deployment) -> None:
        """Who was answered finds their order; who was not sends the same again and has one; each is told by webhook."""
        async with opened() as receiver:
            await self._judge(city, receiver)

    async def _judge(self, city: Deployment, receiver: Receiver) -> None:
        partner = await city.client("library", "partner", "orders:write", perks=[LIBRARY])
        subjects = await holders(city, "library")
        await tell(city, partner, receiver)
        numbers = [secrets.token_hex(8) for _ in range(LOAD)]
        first = [asyncio.create_task(open_one(partner, *one)) for one in zip(subjects, numbers, strict=True)]
        while len(await city.rows("select 1 from incentives.perk_order")) < LOAD // 8:
            await asyncio.sleep(0.01)
        city.kill()
        city.work()
        before = [
            one.json() if one is not None and one.status_code == 201 else None for one in await asyncio.gather(*first)
        ]
        await city.start()
        after = await asyncio.gather(*(until_told(partner, *one) for one in zip(subjects, numbers, strict=True)))
        assert [one["order_id"] for one in before if one] == [
            two["order_id"] for one, two in zip(before, after, strict=True) if one
        ]
        assert {one["status"] for one in after} == {"open"}
        rows = await city.rows(
            "select (select count(*) from incentives.perk_order) as orders, "
            "(select count(*) from incentives.order_step) as steps, "
            "(select count(*) from incentives.event where seq = 1 and type = 'order.open') as events, "
            "(select sum(orders) from incentives.exposure)::int as held, "
            "(select count(*) from core.audit_entry where action = 'order.open') as entries"
        )
        assert dict(rows[0]) == {"orders": LOAD, "steps": LOAD, "events": LOAD, "held": LOAD, "entries": LOAD}
        await self._told(city, receiver)

    async def _told(self, city: Deployment, receiver: Receiver) -> None:
        """What the killed worker had taken is taken from it half a minute later; nothing is told that is no event."""
        await city.rows("update jobs.pgqueuer set heartbeat = heartbeat - interval '1 minute' where status = 'picked'")
        wanted = {ids.show("ev", row["id"]) for row in await city.rows("select id from incentives.event")}
        async with asyncio.timeout(60):
            while await city.rows("select 1 from incentives.delivery where state <> 'delivered'"):
                await asyncio.sleep(0.1)
        assert {one.headers["webhook-id"] for one in receiver.got} == wanted

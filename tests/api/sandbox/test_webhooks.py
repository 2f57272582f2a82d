"""What a partner's endpoint is told by a self-check, and faults of deliveries that it ordered."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest_asyncio
from standardwebhooks import Webhook, WebhookVerificationError

from api.sandbox import probes
from api.sandbox.sending import Twisted
from tests.api.sandbox.conftest import Shop
from tests.receiver import Got, Receiver, opened

HOOKS = "/v1/partner/webhooks"
CHECK = "/v1/sandbox/self-check"
EMIT = "select incentives.emit('bikes', 'order.active', $1, $2, jsonb_build_object('seq', $2::int))"
DUE = """
select d.id from incentives.delivery d join incentives.event e on e.id = d.event_id
where e.object = $1 and d.state = 'waiting' order by e.seq
"""


class Careful(Receiver):
    """An endpoint that judges each request before it answers."""

    judge: Callable[[Got], int]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read it whole, then answer with what `judge` says."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        lines = (line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        headers = {name.lower(): value for name, value in lines}
        self.got.append(Got(headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(
            f"HTTP/1.1 {self.judge(self.got[-1])} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@pytest_asyncio.fixture
async def hooked(shop: Shop) -> AsyncIterator[tuple[Careful, dict[str, Any]]]:
    """An endpoint of the partner's, registered; gone afterwards."""
    endpoint = Careful()
    server = await asyncio.start_server(endpoint.answer, "127.0.0.1", 0)
    async with server:
        endpoint.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        made = (await shop.http.post(HOOKS, json={"url": endpoint.url})).json()
        yield endpoint, made
        await shop.http.delete(f"{HOOKS}/{made['webhook']['id']}")


class TestSelfCheck:
    """`POST /v1/sandbox/self-check`."""

    async def test_an_endpoint_that_verifies_passes(self, shop: Shop, hooked: tuple[Careful, dict[str, Any]]) -> None:
        """Judged by an independent library: what it takes and what it refuses is what we expect."""
        endpoint, made = hooked
        library = Webhook(made["secret"])

        def judge(got: Got) -> int:
            try:
                library.verify(got.body, got.headers)
            except WebhookVerificationError:
                return 401
            return 204

        endpoint.judge = judge
        report = (await shop.http.post(CHECK, json={})).json()
        assert [(one["probe"], one["right"], one["say"]) for one in report["findings"]] == [
            (one.name, True, "Right.") for one in probes.PROBES
        ]
        assert (report["passed"], report["webhook"]) == (True, made["webhook"]["id"])
        same = [got.headers["webhook-id"] for got in endpoint.got]
        assert same[0] == same[3]
        assert len(set(same)) == len(same) - 1

    async def test_an_endpoint_that_believes_everything_is_told(
        self, shop: Shop, hooked: tuple[Careful, dict[str, Any]]
    ) -> None:
        """The two that it should have refused are wrong, with what to change."""
        endpoint, _ = hooked
        endpoint.judge = lambda _got: 200
        report = (await shop.http.post(CHECK, json={})).json()
        wrong = {one["probe"]: one["say"] for one in report["findings"] if not one["right"]}
        assert set(wrong) == {"wrong_signature", "old_timestamp"}
        assert "answer 401" in wrong["wrong_signature"]
        assert "five minutes" in wrong["old_timestamp"]
        assert report["passed"] is False

    async def test_faults_and_redirects_are_told(self, shop: Shop, hooked: tuple[Careful, dict[str, Any]]) -> None:
        """A program that fails on what it does not know, and an address that sends us elsewhere."""
        endpoint, _ = hooked
        endpoint.judge = lambda got: 500 if b"unheard_of" in got.body else 302
        report = (await shop.http.post(CHECK, json={})).json()
        say = {one["probe"]: one["say"] for one in report["findings"]}
        assert "failed on it" in say["unknown_type"]
        assert "redirect" in say["good"]

    async def test_nobody_there(self, shop: Shop) -> None:
        """One finding, and no more requests; without a webhook 409."""
        assert (await shop.http.post(CHECK, json={})).json()["code"] == "no_webhook"
        async with opened() as gone:
            url = gone.url
        made = (await shop.http.post(HOOKS, json={"url": url})).json()
        report = (await shop.http.post(CHECK, json={"webhook": made["webhook"]["id"]})).json()
        assert [(one["status"], "Nobody answered" in one["say"]) for one in report["findings"]] == [(None, True)]
        other = await shop.http.post(CHECK, json={"webhook": "wh_00000000000000000000000000"})
        assert other.status_code == 404
        await shop.http.delete(f"{HOOKS}/{made['webhook']['id']}")


class TestDeliveries:
    """Faults of webhooks, made by the sandbox's sender."""

    async def _send(self, shop: Shop, order: str, changes: int) -> None:
        """Change an order so often and make the deliveries as the worker does: the first is begun first."""
        house = shop.server.house
        sender = Twisted(house)
        async with house.doors.lasting("jobs", size=1) as pool:
            for seq in range(1, changes + 1):
                await pool.execute(EMIT, order, seq)
            due = await pool.fetch(DUE, order)
        assert len(due) == changes
        first = asyncio.create_task(sender.send(str(due[0]["id"])))
        async with asyncio.timeout(10):
            while (await shop.http.get("/v1/sandbox/faults")).json()["webhooks"] is not None:
                await asyncio.sleep(0.01)
        for row in due[1:]:
            await sender.send(str(row["id"]))
        await first

    async def test_duplicates_and_reordering(self, shop: Shop) -> None:
        """Twice the same `webhook-id`; then the later change before the earlier one, once each."""
        async with opened() as endpoint:
            made = (await shop.http.post(HOOKS, json={"url": endpoint.url})).json()
            await shop.http.post("/v1/sandbox/faults", json={"fault": "duplicate_delivery"})
            await self._send(shop, "or_twice", 1)
            assert len(endpoint.got) == 2
            assert endpoint.got[0].headers["webhook-id"] == endpoint.got[1].headers["webhook-id"]
            endpoint.got.clear()
            await shop.http.post("/v1/sandbox/faults", json={"fault": "reordered_delivery"})
            await self._send(shop, "or_crossed", 2)
            assert [json.loads(got.body)["data"]["seq"] for got in endpoint.got] == [2, 1]
            endpoint.got.clear()
            await shop.http.post("/v1/sandbox/faults", json={"fault": "slow_delivery", "seconds": 1})
            began = time.monotonic()
            await self._send(shop, "or_late", 1)
            assert time.monotonic() - began >= 1
            assert len(endpoint.got) == 1
            await shop.http.delete(f"{HOOKS}/{made['webhook']['id']}")

"""Webhooks over real HTTP: registered, signed, tried again, and never another partner's business."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx2
import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from api.worker import sending
from incentives.events import deliveries
from incentives.events.sending import Sender
from tests.api.conftest import Server
from tests.receiver import Receiver, opened, verified

HOOKS = "/v1/partner/webhooks"
EMIT = "select incentives.emit($1, $2, $3, $4, $5::text::jsonb)"
_DUE = """
select d.id from incentives.delivery d join incentives.webhook w on w.id = d.webhook_id
where w.partner_id = $1 and d.state = 'waiting' and d.next_at <= now()
"""
_serial = 0


class Shop:
    """A partner with a signing client, whose orders change by hand."""

    def __init__(self, server: Server, name: str, http: httpx2.AsyncClient) -> None:
        """`name` is its client id."""
        self.server, self.name, self.http = server, name, http

    async def emit(self, seq: int, *, kind: str = "order.active", order: str = "or_1") -> None:
        """One change of an order, as the jobs would make it."""
        async with self.server.house.doors.lasting("jobs", size=1) as pool:
            await pool.execute(EMIT, self.name, kind, f"{self.name}-{order}", seq, json.dumps({"seq": seq}))

    async def hook(self, url: str, **more: Any) -> dict[str, Any]:
        """A registered webhook: the answer."""
        made = await self.http.post(HOOKS, json={"url": url, **more})
        assert made.status_code == 201, made.text
        return made.json()

    async def become_due(self) -> None:
        """Let the time until the next attempts be over."""
        connection = await asyncpg.connect(self.server.owner_url)
        await connection.execute("update incentives.delivery set next_at = now() where state = 'waiting'")
        await connection.execute("update incentives.webhook set paused_until = null")
        await connection.close()

    async def send(self, *, seconds: float = 2.0) -> int:
        """What the worker does with everything that is due; returns how many deliveries there were."""
        house = self.server.house
        sender = Sender(house.doors, house.ring, sandbox=True, seconds=seconds)
        async with house.doors.lasting("jobs", size=1) as pool:
            due = await pool.fetch(_DUE, self.name)
        for row in due:
            await sender.send(str(row["id"]))
        return len(due)

    async def became(self, hook: dict[str, Any]) -> list[dict[str, Any]]:
        """The delivery log."""
        answer = await self.http.get(f"{HOOKS}/{hook['webhook']['id']}/deliveries")
        assert answer.status_code == 200, answer.text
        return answer.json()["deliveries"]


@pytest_asyncio.fixture
async def shop(server: Server) -> AsyncIterator[Shop]:
    """A new partner."""
    global _serial  # noqa: PLW0603  (a name of its own for each)
    _serial += 1
    signed, _ = await server.register(f"hooks-{_serial}", "partner", "orders:write", perks=["library.deposit-free"])
    async with httpx2.AsyncClient(base_url=server.base_url, auth=signed, timeout=30) as http:
        yield Shop(server, f"hooks-{_serial}", http)


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A merchant's endpoint."""
    async with opened() as one:
        yield one


class TestRegister:
    """Webhooks come and go."""

    async def test_a_secret_is_shown_once(self, shop: Shop, receiver: Receiver) -> None:
        """Registered, listed without secrets, rotated to others, removed; a second time 409."""
        made = await shop.hook(receiver.url, types=["order.active", "order.active"])
        assert made["secret"].startswith("whsec_")
        assert made["public_key"].startswith("whpk_")
        listed = (await shop.http.get(HOOKS)).json()["webhooks"]
        assert listed == [made["webhook"]]
        assert listed[0]["types"] == ["order.active"]
        again = await shop.http.post(HOOKS, json={"url": receiver.url})
        assert (again.status_code, again.json()["code"]) == (409, "webhook_exists")
        path = f"{HOOKS}/{made['webhook']['id']}"
        turned = (await shop.http.post(f"{path}/rotate")).json()
        assert turned["secret"] != made["secret"]
        assert (await shop.http.delete(path)).status_code == 204
        assert (await shop.http.delete(path)).status_code == 404
        assert (await shop.http.get(HOOKS)).json() == {"webhooks": []}

    async def test_five_at_most(self, shop: Shop, receiver: Receiver) -> None:
        """The sixth is refused."""
        for number in range(5):
            await shop.hook(f"{receiver.url}/{number}")
        sixth = await shop.http.post(HOOKS, json={"url": f"{receiver.url}/6"})
        assert (sixth.status_code, sixth.json()["code"]) == (409, "too_many_webhooks")

    @pytest.mark.parametrize(
        "body",
        [
            {"url": "http://merchant.example/x"}, {"url": "https://user@merchant.example/x"}, {"url": "ftp://x/y"},
            {"url": "https://m.example/?q=1"}, {"url": "https://m.example/x", "types": ["webhook.test"]},
            {"url": "https://m.example/x", "types": []}, {"url": "https://m.example/x", "secret": "whsec_x"}, {},
        ],
    )  # fmt: skip
    async def test_what_cannot_be_registered(self, shop: Shop, body: dict[str, Any]) -> None:
        """Not plain http, no query, no types but orders', no member of one's own."""
        assert (await shop.http.post(HOOKS, json=body)).status_code == 422

    async def test_another_ones_is_not_there(self, shop: Shop, server: Server, receiver: Receiver) -> None:
        """Every operation on another partner's webhook answers like one that never was."""
        made = await shop.hook(receiver.url)
        other, _ = await server.register(f"{shop.name}-other", "partner", "orders:write")
        path = f"{HOOKS}/{made['webhook']['id']}"
        await shop.emit(1)
        async with httpx2.AsyncClient(base_url=server.base_url, auth=other, timeout=30) as http:
            since = {"since": "2026-01-01T00:00:00Z"}
            answers = [
                await http.delete(path), await http.post(f"{path}/rotate"), await http.post(f"{path}/test"),
                await http.post(f"{path}/replay", json=since), await http.get(f"{path}/deliveries"),
            ]  # fmt: skip
            assert [one.status_code for one in answers] == [404] * 5
            assert (await http.get(HOOKS)).json() == {"webhooks": []}
            assert (await http.get("/v1/partner/events")).json()["events"] == []


class TestSend:
    """What a receiver gets."""

    async def test_any_library_verifies_it(self, shop: Shop, receiver: Receiver) -> None:
        """`standardwebhooks` takes v1, plain Ed25519 takes v1a; the message is thin and its id the event's."""
        made = await shop.hook(receiver.url)
        await shop.emit(1)
        assert await shop.send() == 1
        (got,) = receiver.got
        (event,) = (await shop.http.get("/v1/partner/events")).json()["events"]
        message = Webhook(made["secret"]).verify(got.body, got.headers)
        assert message == {"type": "order.active", "timestamp": event["timestamp"], "data": {"seq": 1}}
        assert got.headers["webhook-id"] == event["id"]
        assert verified(made["public_key"], got)
        assert [one["state"] for one in await shop.became(made)] == ["delivered"]

    async def test_after_a_rotation_both_secrets_verify(self, shop: Shop, receiver: Receiver) -> None:
        """Old and new, in one header, for a day."""
        made = await shop.hook(receiver.url)
        turned = (await shop.http.post(f"{HOOKS}/{made['webhook']['id']}/rotate")).json()
        await shop.emit(1)
        await shop.send()
        (got,) = receiver.got
        for keys in (made, turned):
            assert Webhook(keys["secret"]).verify(got.body, got.headers)
            assert verified(keys["public_key"], got)
        assert len(got.headers["webhook-signature"].split()) == 4

    async def test_the_id_stays_and_the_time_goes_on(self, shop: Shop, receiver: Receiver) -> None:
        """A failed attempt comes again under the same id, with a timestamp and signature of its own."""
        made = await shop.hook(receiver.url)
        receiver.answers = [500, 302]
        await shop.emit(1)
        for _ in range(3):
            await shop.send()
            await shop.become_due()
        assert len({one.headers["webhook-id"] for one in receiver.got}) == 1
        assert len(receiver.got) == 3
        assert len({one.body for one in receiver.got}) == 1
        (log,) = await shop.became(made)
        assert [one["outcome"] for one in log["attempts"]] == ["status", "redirect", "delivered"]
        assert (log["state"], log["tried"]) == ("delivered", 3)

    async def test_ten_attempts_and_the_list_says_so(self, shop: Shop, receiver: Receiver) -> None:
        """Exhausted after the plan; told in the events, not by webhook; a replay begins anew, with the same id."""
        made = await shop.hook(receiver.url)
        receiver.answers = [500] * 10
        await shop.emit(1)
        for _ in range(12):
            await shop.send()
            await shop.become_due()
        assert len(receiver.got) == 10
        events = (await shop.http.get("/v1/partner/events")).json()["events"]
        assert [one["type"] for one in events] == ["order.active", "webhook.exhausted"]
        assert events[1]["data"]["event_id"] == events[0]["id"]
        path = f"{HOOKS}/{made['webhook']['id']}/replay"
        assert (await shop.http.post(path, json={"since": "2026-01-01T00:00:00Z"})).json() == {"replayed": 1}
        await shop.send()
        assert receiver.got[-1].headers["webhook-id"] == events[0]["id"]
        assert (await shop.became(made))[0]["state"] == "delivered"
        assert (await shop.http.post(path, json={"since": "2026-01-01T00:00:00Z"})).json() == {"replayed": 0}
        assert (await shop.http.post(path, json={"event_id": events[0]["id"]})).json() == {"replayed": 1}
        assert (await shop.http.post(path, json={})).status_code == 422

    async def test_gone_disables_and_a_test_enables(self, shop: Shop, receiver: Receiver) -> None:
        """410 ends it; nothing more is sent; a test that is answered with 2xx lets it live again."""
        made = await shop.hook(receiver.url)
        receiver.answers = [410]
        await shop.emit(1)
        await shop.send()
        await shop.emit(2)
        await shop.send()
        (listed,) = (await shop.http.get(HOOKS)).json()["webhooks"]
        assert (listed["state"], len(receiver.got)) == ("disabled", 1)
        tested = (await shop.http.post(f"{HOOKS}/{made['webhook']['id']}/test")).json()
        await shop.send()
        assert receiver.got[-1].headers["webhook-id"] == tested["event_id"]
        (listed,) = (await shop.http.get(HOOKS)).json()["webhooks"]
        assert (listed["state"], listed["failing_since"]) == ("active", None)
        await shop.emit(3)
        await shop.send()
        assert json.loads(receiver.got[-1].body)["data"] == {"seq": 3}

    async def test_who_is_busy_is_left_in_peace(self, shop: Shop, receiver: Receiver) -> None:
        """Retry-After holds for everything to that address."""
        made = await shop.hook(receiver.url)
        receiver.answers, receiver.retry_after = [429], "120"
        await shop.emit(1)
        await shop.send()
        (listed,) = (await shop.http.get(HOOKS)).json()["webhooks"]
        assert listed["paused_until"] is not None
        await shop.emit(2)
        with pytest.raises(sending.later.NotNow):
            await shop.send()
        assert len(receiver.got) == 1
        assert made

    async def test_no_secret_is_heard(self, shop: Shop, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
        """Neither a secret nor an answer's body is in a log or a table."""
        caplog.set_level(logging.DEBUG)
        receiver.answers, receiver.says = [500], b"a-very-private-answer"
        made = await shop.hook(receiver.url)
        await shop.emit(1)
        await shop.send()
        async with shop.server.house.doors.lasting("jobs", size=1) as pool:
            stored = [str(row) for table in ("webhook", "delivery", "delivery_attempt", "event")
                      for row in await pool.fetch(f"select * from incentives.{table}")]  # fmt: skip
        everything = caplog.text + "".join(stored)
        assert "a-very-private-answer" not in everything
        assert made["secret"].removeprefix("whsec_") not in everything


class TestWorker:
    """The loop of the worker."""

    async def test_a_dead_webhook_delays_nobody(self, shop: Shop, receiver: Receiver) -> None:
        """Twenty events to one that says nothing, and one that answers hears all of its own within seconds."""
        over = asyncio.Event()

        async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await over.wait()
            writer.close()
            await asyncio.gather(writer.wait_closed(), return_exceptions=True)

        silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        async with silent:
            await shop.hook(f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}/x")
            await shop.hook(receiver.url)
            for seq in range(1, 21):
                await shop.emit(seq)
            house = shop.server.house
            sender = Sender(house.doors, house.ring, sandbox=True, seconds=1.0)
            work = asyncio.create_task(sending.later.attend(house.doors, {deliveries.TASK: sender.send}))
            try:
                async with asyncio.timeout(10):
                    while len(receiver.got) < 20:
                        await asyncio.sleep(0.05)
            finally:
                work.cancel()
                over.set()
                await asyncio.gather(work, return_exceptions=True)
        assert sorted(json.loads(one.body)["data"]["seq"] for one in receiver.got) == list(range(1, 21))

"""Channels call back, and a merchant asks who guarantees an order."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import msgspec
import pytest
import pytest_asyncio
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from api import accounts, channels, deps, problems
from api.citizen import orders
from api.tool import doctor
from core import later
from core.db import Doors
from core.settings import Settings
from incentives.channels import guarantees, rows
from incentives.channels.account import BadAccounts
from incentives.channels.mirror import Mirror, asker
from incentives.eligibility import TokenDead
from tests import alipayserver, payscoreserver
from tests.alipayserver import Gateway
from tests.api.shopworld import BASE, house_on
from tests.channelserver import listening
from tests.channelworld import NOTIFY, Counter, counter
from tests.payscoreserver import PayScore


class Bell:
    """Where channels call, and the library that they are about."""

    def __init__(self, http: httpx2.AsyncClient, shop: Counter) -> None:
        self.http, self.shop = http, shop

    async def ring(self, body: bytes, headers: dict[str, str] | None = None) -> httpx2.Response:
        """One callback."""
        told = headers or {"content-type": "application/x-www-form-urlencoded"}
        return await self.http.post(f"/v1/channels/{self.shop.account.channel}/notify", content=body, headers=told)


@pytest_asyncio.fixture(params=["wechat", "alipay"])
async def bell(
    request: pytest.FixtureRequest, database: str, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bell]:
    """Either channel."""
    async with counter(request.param, database, doors) as shop:
        monkeypatch.setattr(accounts, "known", lambda _: (payscoreserver.account(), alipayserver.account()))
        house = house_on(database, doors)
        app = Litestar(
            channels.handlers, dependencies={"house": Provide(deps.provide_house)}, openapi_config=None,
            exception_handlers={Exception: problems.answer}, state=State({"house": house}),
        )  # fmt: skip
        transport = httpx2.ASGITransport(app, raise_app_exceptions=True)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
            yield Bell(http, shop)
        await house.short.close()


class TestNotify:
    """`POST /v1/channels/{wechat|alipay}/notify`."""

    async def test_a_callback_wakes_a_look_and_says_nothing_itself(self, bell: Bell) -> None:
        """It says `agreed`; what counts is what the query finds: nobody did, and then somebody."""
        shop, order = bell.shop, await bell.shop.till.opened()
        await shop.look(order)
        for agreed, stage in ((False, "to_confirm"), (True, "held")):
            if agreed:
                assert await shop.agree(order)
            answer = await bell.ring(*_notice(shop, order.order_id))
            assert answer.status_code == (204 if shop.account.channel == "wechat" else 200)
            assert answer.content == (b"" if shop.account.channel == "wechat" else b"success")
            assert (await shop.row(order))["due"]
            assert (await shop.look(order))["stage"] == stage
        queued = await shop.till.city.rows("select 1 from jobs.pgqueuer where entrypoint = 'channel'")
        assert len(queued) >= 3

    async def test_the_same_bytes_again_wake_nothing(self, bell: Bell) -> None:
        """WeChat's are refused, since it signs every repeat anew; Alipay tells one notice again, and is thanked."""
        shop, order = bell.shop, await bell.shop.till.opened()
        await shop.look(order)
        body, headers = _notice(shop, order.order_id)
        await bell.ring(body, headers)
        await shop.look(order)
        again = await bell.ring(body, headers)
        assert again.status_code == (400 if shop.account.channel == "wechat" else 200)
        assert not (await shop.row(order))["due"]

    async def test_what_is_not_signed_by_the_channel_is_refused(self, bell: Bell) -> None:
        """Another body, another key, no signature, a stale one, and WeChat's probe."""
        shop, order = bell.shop, await bell.shop.till.opened()
        await shop.look(order)
        for body, headers in _forged(shop, order.order_id):
            answer = await bell.ring(body, headers)
            assert (answer.status_code, answer.json()["code"]) == (400, "bad_notice")
        assert not (await shop.row(order))["due"]

    async def test_a_notice_about_nothing_is_taken(self, bell: Bell) -> None:
        """A number that is none of ours is no fault of the channel's; nothing happens."""
        answer = await bell.ring(*_notice(bell.shop, "or_nobody"))
        assert answer.status_code in {200, 204}


class TestGuarantee:
    """What `GET /v1/partner/orders/{order_id}/guarantee` says."""

    async def test_it_follows_the_order(self, bell: Bell) -> None:
        """Preparing, then to be confirmed with what the telephone needs, held, ended; never who the payer is."""
        shop, order = bell.shop, await bell.shop.till.opened()
        assert await _seen(shop, order.order_id) == (shop.account.channel, "preparing", False)
        await shop.look(order)
        assert await _seen(shop, order.order_id) == (shop.account.channel, "to_confirm", True)
        await shop.agree(order)
        await shop.look(order, again=True)
        assert await _seen(shop, order.order_id) == (shop.account.channel, "held", False)
        await shop.till.act(order, "cancel")
        await shop.look(order)
        assert await _seen(shop, order.order_id) == (shop.account.channel, "ended", False)

    async def test_money_taken_twice_is_to_be_refunded(self, bell: Bell) -> None:
        """Paid at the channel and elsewhere: the merchant reads what to give back, and that a person looks at it."""
        shop, order = bell.shop, await bell.shop.agreed()
        for action, given in (("start", {}), ("return", {}), ("settle", {"items": [{"name": "rent", "amount": 500}]})):
            await shop.till.act(order, action, **given)
        await shop.look(order)
        shop.pay(order)
        await shop.till.act(order, "sync", paid_amount=500)
        await shop.look(order)
        found = await guarantees.of(shop.till.gate, token=shop.till.token, order_id=order.order_id)
        assert (found.state, found.paid, found.refund_due, found.attention) == ("paid", 500, 500, True)

    async def test_its_citizen_reads_who_guarantees(self, bell: Bell) -> None:
        """Beside their own orders, and nobody else's; what no channel guarantees is the partner's own risk."""
        shop = bell.shop
        citizen = await shop.till.city.citizen()
        _, proof = await shop.till.city.logged_in(citizen)
        order = await shop.till.opened(citizen)
        await shop.till.opened()
        async with shop.doors.work("citizen", proof=proof) as session:
            (shown,) = (await orders.mine.fn(session)).orders
            assert (shown.order_id, shown.guarantor) == (order.order_id, shop.account.channel)
            assert list(await guarantees.mine(session)) == [order.order_id]
        await shop.till.city.do("delete from incentives.channel_order")
        async with shop.doors.work("citizen", proof=proof) as session:
            assert [one.guarantor for one in (await orders.mine.fn(session)).orders] == ["own"]

    async def test_a_dead_token_learns_nothing(self, bell: Bell) -> None:
        """As at every door."""
        with pytest.raises(TokenDead):
            await guarantees.of(bell.shop.till.gate, token=b"x", order_id="or_00000000000000000000000000")


class TestAccounts:
    """The operator's file."""

    def test_a_file_that_others_may_read_is_refused(self, tmp_path: Any) -> None:
        """Keys that charge people are nobody else's; the process runs on without channels."""
        path = tmp_path / "channels.toml"
        path.write_text("")
        path.chmod(0o644)
        with pytest.raises(BadAccounts, match="chmod 600"):
            accounts.read(path)
        assert accounts.known(path) == ()
        path.chmod(0o600)
        assert accounts.read(path) == ()

    def test_the_doctor_says_which_perks_have_a_channel_and_what_is_wrong(self, tmp_path: Any) -> None:
        """No file is no fault; one that others may read is, and says so without a word of it."""
        path = tmp_path / "channels.toml"
        path.write_text("secret")
        path.chmod(0o644)
        known = Settings(base_url=BASE, database_url="postgresql://x", master_key=bytes(32), epochs_file=path)
        assert doctor._channels(known).well
        found = doctor._channels(msgspec.structs.replace(known, channels_file=path))
        assert (found.well, "off" in found.seen, "secret" in found.seen) == (False, True, False)

    def test_without_a_file_there_are_none(self, tmp_path: Any) -> None:
        """Every order is at its merchant's own risk; a file that is named and not there is a fault."""
        assert accounts.read(None) == ()
        with pytest.raises(BadAccounts):
            accounts.read(tmp_path / "none")


class TestRound:
    """Part of the jobs' round."""

    async def test_what_was_forgotten_is_put_again(self, bell: Bell) -> None:
        """A job that was lost, after a restore say: the round finds the order by its row, and puts it once."""
        shop, order = bell.shop, await bell.shop.till.opened()
        await shop.till.city.do("delete from jobs.pgqueuer")
        await shop.till.city.do(
            "update incentives.channel_order set next_at = now() - interval '1 minute' where number = :number",
            number=order.order_id,
        )
        house = house_on("postgresql://owner@nowhere/x", shop.doors)
        for _ in range(2):
            await channels.keep(house)
        assert len(await shop.till.city.rows("select 1 from jobs.pgqueuer where entrypoint = 'channel'")) == 1

    async def test_calls_of_long_ago_are_forgotten(self, bell: Bell) -> None:
        """Half a year after an order's end its calls are gone; those of an order that is looked at stay."""
        shop = bell.shop
        over, running = await shop.till.opened(), await shop.till.opened()
        for order in (over, running):
            await shop.look(order)
        await shop.till.act(over, "cancel")
        await shop.look(over)
        if shop.account.channel == "alipay":  # what a telephone holds is watched for longer than a test
            await shop.till.city.do(
                "update incentives.channel_order set next_at = null where number = :n", n=over.order_id
            )
        await shop.till.city.do("update incentives.channel_call set asked_at = now() - interval '200 days'")
        await channels.keep(house_on("postgresql://owner@nowhere/x", shop.doors))
        assert (await shop.calls(over), len(await shop.calls(running))) == ([], 1)


class TestWorker:
    """From a step of an order to a call over HTTP."""

    async def test_a_step_reaches_the_channel_by_the_queue(self, bell: Bell) -> None:
        """Nobody is asked to look: the order's own transaction puts the job, and the worker makes the call."""
        shop = bell.shop
        async with listening(shop.server) as origin:
            path = "" if shop.account.channel == "wechat" else "/gateway.do"
            account = msgspec.structs.replace(shop.account, origin=origin + path)
            held = {(account.partner, account.perk): account}
            mirror = Mirror(shop.doors, held, notify=NOTIFY, ask=asker(sandbox=True))
            order = await shop.till.opened()
            working = asyncio.create_task(later.attend(shop.doors, {rows.TASK: mirror.look}))
            try:
                async with asyncio.timeout(30):
                    while (await shop.row(order))["stage"] != "to_confirm":
                        await asyncio.sleep(0.1)
                    await shop.till.act(order, "cancel")
                    while (await shop.row(order))["stage"] == "to_confirm":
                        await asyncio.sleep(0.1)
            finally:
                working.cancel()
                await asyncio.gather(working, return_exceptions=True)
        assert (await shop.row(order))["parked"] is None


async def _seen(shop: Counter, order_id: str) -> tuple[str, str | None, bool]:
    found = await guarantees.of(shop.till.gate, token=shop.till.token, order_id=order_id)
    return found.guarantor, found.state, found.launch is not None


def _notice(shop: Counter, number: str, **more: Any) -> tuple[bytes, dict[str, str] | None]:
    if isinstance(shop.server, PayScore):
        headers, body = shop.server.notice(number, **more)
        return body, headers
    return shop.server.notice(number, **more), None


def _forged(shop: Counter, number: str) -> list[tuple[bytes, dict[str, str] | None]]:
    body, headers = _notice(shop, number)
    if isinstance(shop.server, Gateway):
        stale = shop.server.notice(number, at=time.time() - 2 * 86400)
        return [(body.replace(b"freeze", b"pay"), None), (b"", None), (b"\xff=1", None), (stale, None),
                (body.replace(b"sign=", b"sign=AAAA"), None)]  # fmt: skip
    assert headers is not None
    probe = {**headers, "wechatpay-signature": "WECHATPAY/SIGNTEST/" + headers["wechatpay-signature"]}
    stale, old = _notice(shop, number, at=int(time.time()) - 3600)
    return [(body + b" ", headers), (body, {"content-type": "application/json"}), (body, probe), (stale, old),
            (body, {**headers, "wechatpay-serial": "another"})]  # fmt: skip

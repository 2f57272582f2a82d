"""The vendors' own clients drive the stand-ins: what our adapters are tried against is like the real thing."""

import asyncio
import json
from collections.abc import AsyncIterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests import alipayserver, payscoreserver
from tests.alipayserver import Gateway
from tests.channelserver import listening
from tests.payscoreserver import PayScore
from tests.rsakeys import private, public

pytestmark = pytest.mark.interop
NUMBER = "or_0123456789abcdefghjkmnpqrs"
_NOTIFY = "https://credit.example/v1/channels/wechat/notify"


class Merchant:
    """A merchant with `wechatpayv3`, a client that we did not write."""

    def __init__(self, client: Any, server: PayScore) -> None:
        self.client, self.server = client, server

    async def do(self, verb: str, **given: Any) -> tuple[int, dict[str, Any]]:
        """One call, by number and service."""
        call = getattr(self.client, f"payscore_{verb}")
        told = {"out_order_no": NUMBER, "service_id": payscoreserver.SERVICE, **given}
        status, text = await asyncio.to_thread(call, **told)
        return status, json.loads(text)

    async def create(self) -> tuple[int, dict[str, Any]]:
        """An order with a deposit of 100 yuan."""
        return await self.do(
            "create", service_introduction="图书免押", time_range={"start_time": "OnAccept"}, notify_url=_NOTIFY,
            risk_fund={"name": "DEPOSIT", "amount": 10000},
        )  # fmt: skip

    async def charge(self, verb: str, amount: int, **more: Any) -> tuple[int, dict[str, Any]]:
        """Complete or modify."""
        lines = [{"name": "rent", "amount": amount}]
        return await self.do(verb, post_payments=lines, total_amount=amount, **more)


@pytest_asyncio.fixture
async def merchant() -> AsyncIterator[Merchant]:
    """WeChat's client at the stand-in."""
    found = pytest.importorskip("wechatpayv3", reason="pip install wechatpayv3: WeChat's client is not here")
    server = PayScore()
    async with listening(server) as origin:
        client = found.WeChatPay(
            wechatpay_type=found.WeChatPayType.NATIVE, mchid=payscoreserver.MERCHANT,
            private_key=private("merchant")[1], cert_serial_no=payscoreserver.SERIAL,
            appid=payscoreserver.APP, apiv3_key=payscoreserver.SECRET,
            notify_url=_NOTIFY, public_key=public("wechat"), public_key_id=payscoreserver.THEIR_SERIAL,
        )  # fmt: skip
        client._core._gate_way = origin
        yield Merchant(client, server)


class TestWeChat:
    """`wechatpayv3` against the stand-in."""

    async def test_an_order_from_create_to_done(self, merchant: Merchant) -> None:
        """Every answer passes the client's check of signatures; states are WeChat's."""
        status, made = await merchant.create()
        assert (status, made["state"], bool(made["package"])) == (200, "CREATED", True)
        assert merchant.server.confirm(NUMBER)
        _, found = await merchant.do("query")
        assert (found["state"], found["state_description"]) == ("DOING", "USER_CONFIRM")
        assert (await merchant.charge("complete", 500))[1]["state_description"] == "MCH_COMPLETE"
        assert (await merchant.charge("modify", 300, reason="减收"))[1]["total_amount"] == 300
        assert merchant.server.pay(NUMBER)
        _, found = await merchant.do("query")
        assert (found["state"], found["collection"]["paid_amount"]) == ("DONE", 300)

    async def test_guards_refuse_what_wechat_refuses(self, merchant: Merchant) -> None:
        """Unknown number, re-entry with other parameters, above the risk fund, upwards, cancelled too late."""
        assert (await merchant.do("query"))[0] == 404
        await merchant.create()
        assert (await merchant.create())[0] == 200
        other = {"name": "DEPOSIT", "amount": 1}
        changed = {"service_introduction": "x", "time_range": {"start_time": "OnAccept"}, "notify_url": _NOTIFY}
        assert (await merchant.do("create", risk_fund=other, **changed))[0] == 400
        assert (await merchant.charge("complete", 500))[0] == 400
        merchant.server.confirm(NUMBER)
        assert (await merchant.charge("complete", 10001))[0] == 400
        await merchant.charge("complete", 500)
        assert (await merchant.charge("modify", 501, reason="x"))[0] == 400
        assert (await merchant.do("cancel", reason="x"))[0] == 400
        assert (await merchant.do("sync", detail={"paid_time": "20261122101010"}))[1]["state"] == "DONE"

    async def test_a_notice_opens_with_the_clients_key(self, merchant: Merchant) -> None:
        """Signature and AEAD_AES_256_GCM as the vendor's code reads them."""
        await merchant.create()
        headers, body = merchant.server.notice(NUMBER)
        told = await asyncio.to_thread(merchant.client.callback, headers, body)
        assert (told["event_type"], told["resource"]["out_order_no"]) == ("PAYSCORE.USER_CONFIRM", NUMBER)


class Shop:
    """A merchant with Alipay's own SDK."""

    def __init__(self, client: Any, server: Gateway) -> None:
        self.client, self.server = client, server

    def string(self, **content: Any) -> str:
        """What a telephone launches, signed by the SDK."""
        return str(self.client.sdk_execute(_request("FundAuthOrderAppFreeze", content)))

    async def do(self, name: str, **content: Any) -> dict[str, Any]:
        """One call; the SDK checks the signature of the answer."""
        return json.loads(await asyncio.to_thread(self.client.execute, _request(name, content)))


def _request(name: str, content: dict[str, Any]) -> Any:
    module = __import__(f"alipay.aop.api.request.Alipay{name}Request", fromlist=["x"])
    request = getattr(module, f"Alipay{name}Request")()
    request.biz_content = content
    return request


@pytest_asyncio.fixture
async def shop(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    """Alipay's client at the stand-in; it knows of no port but 80 and 443, so it is connected for it."""
    pytest.importorskip("alipay.aop.api", reason="pip install alipay-sdk-python: Alipay's client is not here")
    from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
    from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
    from alipay.aop.api.util import WebUtils

    server = Gateway()
    async with listening(server) as origin:
        at = urlsplit(origin).netloc

        def connected(_url: str, query: str, timeout: int) -> tuple[str, HTTPConnection]:
            return f"/gateway.do?{query}", HTTPConnection(at, timeout=timeout)

        monkeypatch.setattr(WebUtils, "get_http_connection", connected)
        config = AlipayClientConfig()
        config.server_url, config.app_id = f"{origin}/gateway.do", alipayserver.APP
        key = private("merchant")[0]
        old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        config.app_private_key = "".join(old.splitlines()[1:-1])
        config.alipay_public_key = "".join(public("alipay").splitlines()[1:-1])
        yield Shop(DefaultAlipayClient(config), server)


class TestAlipay:
    """`alipay-sdk-python` against the stand-in."""

    async def test_a_freeze_from_its_launch_to_its_payment(self, shop: Shop) -> None:
        """The SDK's string starts the freeze; query, charge and query again."""
        asked = {"out_order_no": NUMBER, "out_request_no": f"{NUMBER}-freeze"}
        assert (await shop.do("FundAuthOperationDetailQuery", **asked))["sub_code"] == "AUTH_ORDER_NOT_EXIST"
        text = shop.string(**asked, amount="100.00", product_code="PREAUTH_PAY", order_title="图书免押")
        assert shop.server.launch(text)
        found = await shop.do("FundAuthOperationDetailQuery", **asked)
        assert (found["order_status"], found["rest_amount"], found["pre_auth_type"]) == (
            "AUTHORIZED", "100.00", "CREDIT_AUTH",
        )  # fmt: skip
        charge = {"out_trade_no": f"{NUMBER}-pay0", "auth_no": found["auth_no"], "auth_confirm_mode": "COMPLETE"}
        told = await shop.do("TradePay", **charge, total_amount="5.00", product_code="PREAUTH_PAY", subject="rent")
        assert told["code"] == "10003"
        assert shop.server.pay(f"{NUMBER}-pay0")
        assert (await shop.do("TradeQuery", out_trade_no=f"{NUMBER}-pay0"))["trade_status"] == "TRADE_SUCCESS"
        assert (await shop.do("FundAuthOperationDetailQuery", **asked))["order_status"] == "FINISH"

    async def test_what_is_frozen_is_given_back_once(self, shop: Shop) -> None:
        """Unfreezing is idempotent by its number; another amount under it is refused, and so is a charge afterwards."""
        asked = {"out_order_no": NUMBER, "out_request_no": f"{NUMBER}-freeze"}
        shop.server.launch(shop.string(**asked, amount="100.00", product_code="PREAUTH_PAY", order_title="x"))
        auth = (await shop.do("FundAuthOperationDetailQuery", **asked))["auth_no"]
        extra = json.dumps({"unfreezeBizInfo": json.dumps({"bizComplete": True})})
        free = {"auth_no": auth, "out_request_no": "f", "remark": "x", "extra_param": extra}
        for _ in range(2):
            assert (await shop.do("FundAuthOrderUnfreeze", **free, amount="100.00"))["status"] == "SUCCESS"
        assert (await shop.do("FundAuthOrderUnfreeze", **free, amount="1.00"))["code"] == "40004"
        told = await shop.do("TradePay", out_trade_no="p", auth_no=auth, total_amount="1.00", subject="x")
        assert told["code"] == "40004"


@pytest.mark.parametrize("channel", ["wechat", "alipay"])
async def test_our_adapter_speaks_to_the_same_servers(channel: str) -> None:
    """Over HTTP: a query of nothing is absent; a line that breaks after the work was done is unknown."""
    from core import clock
    from incentives.channels import asking, numbers

    server: PayScore | Gateway = PayScore() if channel == "wechat" else Gateway()
    async with listening(server) as origin:
        made = payscoreserver.account if channel == "wechat" else alipayserver.account
        account = made(origin=origin if channel == "wechat" else f"{origin}/gateway.do")
        call = numbers.look(account.channel, NUMBER, at=clock.wall())
        assert (await asking.ask(account, call, sandbox=True)).heard.outcome == "absent"
        server.fault("lost")
        assert (await asking.ask(account, call, sandbox=True)).heard.outcome == "unknown"

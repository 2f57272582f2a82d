"""A stand-in for Alipay's gateway that keeps its published rules for deposit-free pre-authorisations.

What it tells of a payer must go nowhere: `PAYER` is in every answer. `fault` makes the next calls go wrong.
"""

import json
import secrets
import time
from base64 import b64decode, b64encode
from collections import deque
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from incentives.channels.account import Account
from incentives.channels.alipay import fen, yuan
from tests.rsakeys import private, public

APP, SERVICE, CATEGORY = "2021000000000001", "2026112200000000000000001", "RENT_BOOK"
PAYER = "2088102146225135"


def account(**more: Any) -> Account:
    """The merchant's account as its operator writes it down."""
    told = {
        "partner": "p_library", "perk": "library.deposit-free", "channel": "alipay", "merchant": "2088000000000001",
        "app": APP, "service": SERVICE, "category": CATEGORY, "title": "图书免押", "key": private("merchant")[1],
        "theirs": {"alipay": public("alipay")}, **more,
    }  # fmt: skip
    return Account(**told)


class Refused(Exception):
    """An error with Alipay's sub_code."""


class Gateway:
    """The pre-authorisations and trades of one merchant."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.trades: dict[str, dict[str, Any]] = {}
        self.done: dict[str, dict[str, Any]] = {}
        self.faults: deque[str] = deque()
        self.calls: list[str] = []
        self.freezes: list[str] = []

    def fault(self, *kinds: str) -> None:
        """What the next calls do: `lost` (done, no answer), `500` (not done), `forged` (an answer of somebody else)."""
        self.faults.extend(kinds)

    def launch(self, text: str, *, fund: int = 0, stop: bool = False) -> bool:
        """The payer's telephone starts a freeze with this string; `fund`: fen of real money; `stop`: only looks."""
        form = dict(parse_qsl(text, strict_parsing=True))
        self._must_be_signed(form)
        sent = json.loads(form["biz_content"])
        number, amount = sent["out_order_no"], fen(sent["amount"])
        if form["method"] != "alipay.fund.auth.order.app.freeze" or sent["product_code"] != "PREAUTH_PAY":
            raise Refused("ILLEGAL_ARGUMENT")
        order = self.orders.setdefault(number, {
            "auth_no": f"20261122{len(self.orders):020}", "status": "INIT", "sent": sent, "frozen": 0, "rest": 0,
            "fund": fund, "paid": 0, "complete": False,
        })  # fmt: skip
        if order["sent"] != sent or order["status"] != "INIT":
            return False
        if not stop:
            self.freezes.append(number)
            order.update(status="AUTHORIZED", frozen=amount, rest=amount)
        return True

    def pay(self, trade: str) -> bool:
        """Alipay takes what is due; with COMPLETE the rest is free again."""
        found = self.trades[trade]
        order = self._by_auth(found["auth_no"])
        if found["status"] != "WAIT_BUYER_PAY":
            return False
        found["status"] = "TRADE_SUCCESS"
        order.update(paid=order["paid"] + found["amount"], rest=0, status="FINISH")
        return True

    def notice(self, number: str, kind: str = "fund_auth_freeze", *, at: float = 0, **more: str) -> bytes:
        """A notice: a form, signed."""
        told = {
            "notify_id": secrets.token_hex(16), "notify_type": kind, "app_id": APP, "charset": "utf-8",
            "notify_time": _stamp(at or time.time()), "out_order_no": number, "payer_user_id": PAYER, **more,
        }  # fmt: skip
        text = "&".join(f"{name}={told[name]}" for name in sorted(told) if told[name])
        sign = b64encode(private("alipay")[0].sign(text.encode(), PKCS1v15(), SHA256())).decode()
        return urlencode({**told, "sign": sign, "sign_type": "RSA2"}).encode()

    def answer(self, query: str, body: bytes) -> tuple[int, bytes] | None:
        """Status and body; None: the line broke. Members come in the query, the body, or both."""
        fault = self.faults.popleft() if self.faults else ""
        form = dict(parse_qsl(query)) | dict(parse_qsl(body.decode()))
        method = form["method"]
        if fault == "500":
            return 500, b"no"
        self.calls.append(method)
        try:
            self._must_be_signed(form)
            said = {"code": "10000", "msg": "Success", **self._do(method, json.loads(form["biz_content"]))}
        except Refused as error:
            code = "40002" if error.args[0].startswith("isv.") else "40004"
            said = {"code": code, "msg": "Business Failed", "sub_code": error.args[0], "sub_msg": "不行"}
        if fault == "lost":
            return None
        if fault == "busy":
            said = {"code": "20000", "msg": "Service Currently Unavailable", "sub_code": "isp.unknow-error"}
        text = json.dumps(said, ensure_ascii=False)
        key = "merchant" if fault == "forged" else "alipay"
        sign = b64encode(private(key)[0].sign(text.encode(), PKCS1v15(), SHA256())).decode()
        return 200, f'{{"{method.replace(".", "_")}_response":{text},"sign":"{sign}"}}'.encode()

    def _do(self, method: str, sent: dict[str, Any]) -> dict[str, Any]:
        return {
            "alipay.fund.auth.operation.detail.query": self._detail,
            "alipay.fund.auth.operation.cancel": self._cancel,
            "alipay.fund.auth.order.unfreeze": self._unfreeze,
            "alipay.trade.pay": self._pay,
            "alipay.trade.query": self._trade,
            "alipay.trade.orderinfo.sync": self._sync,
        }[method](sent)

    def _detail(self, sent: dict[str, Any]) -> dict[str, Any]:
        order = self.orders.get(sent.get("out_order_no", ""))
        if order is None:
            raise Refused("AUTH_ORDER_NOT_EXIST")
        if sent["out_request_no"] != order["sent"]["out_request_no"]:
            raise Refused("AUTH_OPERATION_NOT_EXIST")
        return {
            "auth_no": order["auth_no"], "out_order_no": sent["out_order_no"], "order_status": order["status"],
            "status": "SUCCESS" if order["frozen"] else "INIT", "operation_type": "FREEZE", "payer_user_id": PAYER,
            "amount": order["sent"]["amount"], "pre_auth_type": "" if order["fund"] else "CREDIT_AUTH",
            "total_freeze_amount": yuan(order["frozen"]), "rest_amount": yuan(order["rest"]),
            "total_freeze_fund_amount": yuan(min(order["fund"], order["rest"])),
            "total_pay_amount": yuan(order["paid"]),
        }  # fmt: skip

    def _cancel(self, sent: dict[str, Any]) -> dict[str, Any]:
        order = self.orders.get(sent["out_order_no"])
        if order is None:
            raise Refused("AUTH_ORDER_NOT_EXIST")
        if order["status"] not in {"INIT", "CLOSED"}:
            raise Refused("ORDER_STATUS_NOT_SUPPORT")
        order.update(status="CLOSED")
        return {"auth_no": order["auth_no"], "action": "close", "out_order_no": sent["out_order_no"]}

    def _unfreeze(self, sent: dict[str, Any]) -> dict[str, Any]:
        order = self._by_auth(sent["auth_no"])
        if (known := self.done.get(sent["out_request_no"])) is not None:
            if known != sent:
                raise Refused("REQUEST_PARAM_INCONSISTENT")
            return {"auth_no": sent["auth_no"], "amount": sent["amount"], "status": "SUCCESS"}
        amount = fen(sent["amount"])
        if order["status"] != "AUTHORIZED" or not 0 < amount <= order["rest"] or self._waiting(sent["auth_no"]):
            raise Refused("UNFREEZE_NOT_ALLOWED")
        self.done[sent["out_request_no"]] = sent
        ended = json.loads(json.loads(sent["extra_param"])["unfreezeBizInfo"])["bizComplete"]
        order.update(rest=order["rest"] - amount, complete=ended)
        if not order["rest"]:
            order["status"] = "FINISH" if order["paid"] else "CLOSED"
        return {"auth_no": sent["auth_no"], "amount": sent["amount"], "status": "SUCCESS"}

    def _pay(self, sent: dict[str, Any]) -> dict[str, Any]:
        order = self._by_auth(sent["auth_no"])
        amount = fen(sent["total_amount"])
        if (known := self.trades.get(sent["out_trade_no"])) is not None:
            if known["amount"] != amount or known["status"] == "TRADE_CLOSED":
                raise Refused("ACQ.CONTEXT_INCONSISTENT")
        else:
            if order["status"] != "AUTHORIZED" or amount > order["rest"] or self._waiting(sent["auth_no"]):
                raise Refused("ACQ.AUTH_AMOUNT_NOT_ENOUGH")
            known = self.trades[sent["out_trade_no"]] = {
                "auth_no": sent["auth_no"], "amount": amount, "status": "WAIT_BUYER_PAY",
                "trade_no": f"2026112222001{len(self.trades):015}",
            }  # fmt: skip
        code = "10000" if known["status"] == "TRADE_SUCCESS" else "10003"
        return {"code": code, "trade_no": known["trade_no"], "out_trade_no": sent["out_trade_no"], "buyer_id": PAYER}

    def _trade(self, sent: dict[str, Any]) -> dict[str, Any]:
        found = self.trades.get(sent["out_trade_no"])
        if found is None:
            raise Refused("ACQ.TRADE_NOT_EXIST")
        return {
            "trade_no": found["trade_no"], "out_trade_no": sent["out_trade_no"], "buyer_user_id": PAYER,
            "trade_status": found["status"], "total_amount": yuan(found["amount"]),
        }  # fmt: skip

    def _sync(self, sent: dict[str, Any]) -> dict[str, Any]:
        number, found = next(
            ((number, one) for number, one in self.trades.items() if one["trade_no"] == sent["trade_no"]), ("", None)
        )
        if found is None:
            raise Refused("ACQ.TRADE_NOT_EXIST")
        if self.done.get(sent["out_request_no"]) == sent:
            return {"trade_no": sent["trade_no"], "out_trade_no": number}
        if found["status"] != "WAIT_BUYER_PAY" or sent["biz_type"] != "CREDIT_AUTH":
            raise Refused("TRADE_STATUS_ERROR")
        self.done[sent["out_request_no"]] = sent
        found["status"] = "TRADE_CLOSED"
        if json.loads(sent["order_biz_info"])["status"] == "COMPLETE":
            self._by_auth(found["auth_no"]).update(status="CLOSED", rest=0, complete=True)
        return {"trade_no": sent["trade_no"], "out_trade_no": number}

    def _waiting(self, auth_no: str) -> bool:
        return any(one["auth_no"] == auth_no and one["status"] == "WAIT_BUYER_PAY" for one in self.trades.values())

    def _by_auth(self, auth_no: str) -> dict[str, Any]:
        found = next((one for one in self.orders.values() if one["auth_no"] == auth_no), None)
        if found is None:
            raise Refused("AUTH_ORDER_NOT_EXIST")
        return found

    def _must_be_signed(self, form: dict[str, str]) -> None:
        text = "&".join(f"{name}={form[name]}" for name in sorted(form) if name != "sign" and form[name])
        try:
            key = private("merchant")[0].public_key()
            key.verify(b64decode(form.get("sign", "")), text.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            raise Refused("isv.invalid-signature") from None
        if form["app_id"] != APP or form["sign_type"] != "RSA2":
            raise Refused("isv.invalid-app-id")


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds + 8 * 3600))

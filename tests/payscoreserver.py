"""A stand-in for WeChat Pay score that keeps its published rules: signatures, states, guards, re-entry, error codes.

What it tells of a payer must go nowhere: `OPENID` is in every answer. `fault` makes the next calls go wrong.
"""

import json
import re
import secrets
import time
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from incentives.channels.account import Account
from tests.rsakeys import private, public

MERCHANT, APP, SERVICE = "1900000001", "wx0123456789abcdef", "500001"
SERIAL, THEIR_SERIAL, SECRET = "5157F09EFDC096DE", "PUB_KEY_ID_0114232134912410000000000000", "0123456789abcdef" * 2
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"
PATH = "/v3/payscore/serviceorder"
_AUTHORIZATION = re.compile(
    r'WECHATPAY2-SHA256-RSA2048 mchid="(.*)",nonce_str="(.*)",signature="(.*)",timestamp="(\d+)",serial_no="(.*)"'
)
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*]{1,32}")
_STATUS = {271317510: 404, 270924332: 401, 268503786: 403, 268435472: 429, 271316754: 500}


def account(**more: Any) -> Account:
    """The merchant's account as its operator writes it down."""
    told = {
        "partner": "p_library", "perk": "library.deposit-free", "channel": "wechat", "merchant": MERCHANT, "app": APP,
        "service": SERVICE, "title": "图书免押", "key": private("merchant")[1], "key_serial": SERIAL, "secret": SECRET,
        "theirs": {THEIR_SERIAL: public("wechat")}, **more,
    }  # fmt: skip
    return Account(**told)


class Refused(Exception):
    """An error with WeChat's number."""


class PayScore:
    """The orders of one merchant."""

    def __init__(self) -> None:
        self.orders: dict[str, dict[str, Any]] = {}
        self.faults: deque[str] = deque()
        self.calls: list[str] = []

    def fault(self, *kinds: str) -> None:
        """What the next calls do: `lost` (done, no answer), `500` (not done), `forged` (an answer of somebody else)."""
        self.faults.extend(kinds)

    def confirm(self, number: str, openid: str = OPENID) -> bool:
        """The payer agrees; not with three orders in progress or one unpaid."""
        order = self.orders[number]
        theirs = [one for one in self.orders.values() if one.get("openid") == openid and one["state"] == "DOING"]
        if order["state"] != "CREATED" or len(theirs) >= 3:
            return False
        if any(one["state_description"] == "MCH_COMPLETE" for one in theirs):
            return False
        order.update(state="DOING", state_description="USER_CONFIRM", openid=openid)
        return True

    def pay(self, number: str) -> bool:
        """WeChat takes what is due."""
        order = self.orders[number]
        if order["state_description"] != "MCH_COMPLETE":
            return False
        self._end(order, "NEWTON")
        return True

    def expire(self, number: str) -> None:
        """Nobody agreed for 30 days."""
        if self.orders[number]["state"] == "CREATED":
            self.orders[number].update(state="EXPIRED")

    def notice(self, number: str, event: str = "PAYSCORE.USER_CONFIRM", *, at: int = 0) -> tuple[dict[str, str], bytes]:
        """A callback: headers and body."""
        nonce, aad = secrets.token_hex(6), "payscore"
        plain = json.dumps({**_shown(self.orders.get(number, {})), "out_order_no": number, "openid": OPENID}).encode()
        box = b64encode(AESGCM(SECRET.encode()).encrypt(nonce.encode(), plain, aad.encode())).decode()
        resource = {"algorithm": "AEAD_AES_256_GCM", "ciphertext": box, "nonce": nonce, "associated_data": aad}
        body = json.dumps({
            "id": secrets.token_hex(8), "create_time": "2026-11-22T10:00:00+08:00", "event_type": event,
            "resource_type": "encrypt-resource", "resource": resource,
        }).encode()  # fmt: skip
        return {"content-type": "application/json", **self._signed(body, at=at)}, body

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body; None: the line broke."""
        fault = self.faults.popleft() if self.faults else ""
        if fault == "500":
            return 500, {}, b'{"code": "SYSTEM_ERROR", "message": "try again"}'
        self.calls.append(f"{method} {urlsplit(target).path}")
        try:
            self._must_be_signed(method, target, headers, body)
            status, said = 200, self._do(method, urlsplit(target).path, target, json.loads(body or b"{}"))
        except Refused as error:
            (number,) = error.args
            status, said = _STATUS.get(number, 400), {"code": "INVALID_REQUEST", "message": "no"}
            if fault != "lost":
                text = json.dumps(said).encode()
                return status, {"request-id": f"08F2-{number}", **self._signed(text)}, text
        text = json.dumps(said).encode()
        if fault == "lost":
            return None
        told = {"request-id": "08F2-0", "content-type": "application/json", **self._signed(text)}
        if fault == "forged":
            told["wechatpay-signature"] = b64encode(bytes(256)).decode()
        return status, told, text

    def _do(self, method: str, path: str, target: str, sent: dict[str, Any]) -> dict[str, Any]:
        parts = path.removeprefix(PATH).strip("/").split("/")
        if method == "GET":
            query = parse_qs(urlsplit(target).query)
            if query.get("service_id") != [SERVICE] or query.get("appid") != [APP]:
                raise Refused(268503786)
            if len({"out_order_no", "query_id"} & set(query)) != 1:
                raise Refused(271302262)
            return _shown(self._order(query["out_order_no"][0]))
        if (sent.get("service_id"), sent.get("appid", APP)) != (SERVICE, APP):
            raise Refused(268503786)
        if parts == [""]:
            return self._create(sent)
        return {"complete": self._complete, "modify": self._modify, "cancel": self._cancel, "sync": self._sync}[
            parts[1]
        ](self._order(parts[0]), sent)

    def _create(self, sent: dict[str, Any]) -> dict[str, Any]:
        number = sent["out_order_no"]
        if number in self.orders:
            if self.orders[number]["created"] != sent:
                raise Refused(271316598)
            return {**_shown(self.orders[number]), "package": self.orders[number]["package"]}
        well = (
            _NUMBER.fullmatch(number) and 0 < len(sent["service_introduction"]) <= 20 and sent["notify_url"]
            and sent["risk_fund"]["name"] in {"DEPOSIT", "ADVANCE", "CASH_DEPOSIT", "ESTIMATE_ORDER_COST"}
            and isinstance(sent["risk_fund"]["amount"], int) and sent["risk_fund"]["amount"] > 0
            and sent["time_range"]["start_time"] and len(sent.get("attach", "")) <= 256
            and (sent["need_user_confirm"] or sent.get("openid"))
        )  # fmt: skip
        if not well:
            raise Refused(271302262)
        self.orders[number] = {
            "out_order_no": number, "state": "CREATED", "state_description": "", "risk_fund": sent["risk_fund"],
            "total_amount": 0, "created": sent, "package": f"DJIOSQPYWDxsjdldeuwhdodwxasd_{number}", "paid": [],
            "order_id": f"15646546545165651{len(self.orders):03}",
        }  # fmt: skip
        return {**_shown(self.orders[number]), "package": self.orders[number]["package"]}

    def _complete(self, order: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        if order.get("completed") is not None and order["state_description"] != "USER_CONFIRM":
            if order["completed"] != sent:
                raise Refused(271316598 if order["state"] == "DOING" else 271302262)
            return _shown(order)
        if (order["state"], order["state_description"]) != ("DOING", "USER_CONFIRM"):
            raise Refused(271302332)
        total = _total(sent)
        if total > order["risk_fund"]["amount"]:
            raise Refused(271316656)
        if sent.get("time_range", {}).get("end_time", "0") > _stamp(time.time() + 60):
            raise Refused(271302262)
        order.update(completed=sent, total_amount=total, state_description="MCH_COMPLETE")
        if total == 0:
            self._end(order, "NEWTON")
        return _shown(order)

    def _modify(self, order: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        if order["state_description"] != "MCH_COMPLETE":
            raise Refused(271316657)
        total = _total(sent)
        if total > order["total_amount"] or not sent["reason"]:
            raise Refused(271302262)
        order["total_amount"] = total
        if total == 0:
            self._end(order, "NEWTON")
        return _shown(order)

    def _cancel(self, order: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        may = order["state"] in {"CREATED", "REVOKED"} or order["state_description"] == "USER_CONFIRM"
        if not may or not 0 < len(sent["reason"]) <= 30:
            raise Refused(271316592)
        order.update(state="REVOKED", state_description="")
        return {name: order[name] for name in ("out_order_no", "order_id")} | {"mchid": MERCHANT, "appid": APP}

    def _sync(self, order: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
        if order["state_description"] != "MCH_COMPLETE" or sent["type"] != "Order_Paid":
            raise Refused(271302333)
        if not re.fullmatch(r"\d{14}", sent["detail"]["paid_time"]):
            raise Refused(271302262)
        self._end(order, "MCH")
        return _shown(order)

    def _order(self, number: str) -> dict[str, Any]:
        if number not in self.orders:
            raise Refused(271317510)
        return self.orders[number]

    def _end(self, order: dict[str, Any], by: str) -> None:
        if order["total_amount"]:
            order["paid"].append({"seq": 1, "amount": order["total_amount"], "paid_type": by})
        order.update(state="DONE", state_description="")

    def _must_be_signed(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> None:
        found = _AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if found is None or (found[1], found[5]) != (MERCHANT, SERIAL) or abs(time.time() - int(found[4])) > 300:
            raise Refused(270924332)
        text = f"{method}\n{target}\n{found[4]}\n{found[2]}\n".encode() + body + b"\n"
        try:
            private("merchant")[0].public_key().verify(b64decode(found[3]), text, PKCS1v15(), SHA256())
        except InvalidSignature:
            raise Refused(270924332) from None

    def _signed(self, body: bytes, *, at: int = 0) -> dict[str, str]:
        stamp, nonce = str(at or int(time.time())), secrets.token_hex(8)
        raw = private("wechat")[0].sign(f"{stamp}\n{nonce}\n".encode() + body + b"\n", PKCS1v15(), SHA256())
        return {
            "wechatpay-timestamp": stamp, "wechatpay-nonce": nonce, "wechatpay-serial": THEIR_SERIAL,
            "wechatpay-signature": b64encode(raw).decode(), "wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048",
        }  # fmt: skip


def _total(sent: dict[str, Any]) -> int:
    total = sum(one["amount"] for one in sent["post_payments"])
    total -= sum(one["amount"] for one in sent.get("post_discounts", ()))
    if total != sent["total_amount"] or total < 0:
        raise Refused(271302262)
    return total


def _shown(order: dict[str, Any]) -> dict[str, Any]:
    """An order as every answer shows it: with its payer."""
    shown = {name: value for name, value in order.items() if name not in {"created", "completed", "package", "paid"}}
    if order.get("state_description") == "MCH_COMPLETE":
        shown["collection"] = {"state": "USER_PAYING", "total_amount": order["total_amount"], "paid_amount": 0}
    elif order.get("paid"):
        paid = sum(one["amount"] for one in order["paid"])
        shown["collection"] = {"state": "USER_PAID", "paid_amount": paid, "details": order["paid"]}
    return {**shown, "openid": OPENID, "mchid": MERCHANT}


def _stamp(seconds: float) -> str:
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds + 8 * 3600))

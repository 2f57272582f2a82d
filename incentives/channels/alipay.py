"""Alipay deposit-free: pre-authorisation by the open gateway, RSA2 signatures, forms as notices. Pure.

The payer's telephone launches a string that is signed here (`alipay.fund.auth.order.app.freeze`); so the freeze is made
by the payer, and neither a payment code nor an account passes through us. Who paid is not even read. Every answer is
verified over the exact bytes of its member. Amounts there are yuan with two decimals, here fen.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from incentives.channels.account import Account, sign, verifies
from incentives.channels.course import Known
from incentives.channels.words import CHINA, UNKNOWN, Asking, Call, Heard, Outcome

FRESH = timedelta(hours=26)  # a notice is told again for 25 hours
CODES: Mapping[str, Outcome] = {
    "AUTH_ORDER_NOT_EXIST": "absent", "AUTH_OPERATION_NOT_EXIST": "absent", "ACQ.TRADE_NOT_EXIST": "absent",
    "SYSTEM_ERROR": "unknown", "ACQ.SYSTEM_ERROR": "unknown", "aop.ACQ.SYSTEM_ERROR": "unknown",
    "ILLEGAL_ARGUMENT": "ours", "ACCESS_FORBIDDEN": "ours", "HAS_NO_PRIVILEGE": "ours",
    "ACQ.ACCESS_FORBIDDEN": "ours", "ACQ.INVALID_PARAMETER": "ours",
}  # fmt: skip
_METHODS = {
    "query": "alipay.fund.auth.operation.detail.query",
    "trade": "alipay.trade.query",
    "create": "alipay.fund.auth.order.app.freeze",
    "cancel": "alipay.fund.auth.operation.cancel",
    "free": "alipay.fund.auth.order.unfreeze",
    "complete": "alipay.trade.pay",
    "modify": "alipay.trade.orderinfo.sync",
    "sync": "alipay.trade.orderinfo.sync",
}
_TRADES: Mapping[str, Literal["waiting", "paid", "closed"]] = {
    "WAIT_BUYER_PAY": "waiting", "TRADE_SUCCESS": "paid", "TRADE_FINISHED": "paid", "TRADE_CLOSED": "closed",
}  # fmt: skip
_YUAN = re.compile(r"(\d{1,9})(?:\.(\d{1,2}))?")
_OURS = {"40001", "40002", "40003", "40006"}
_WELL, _ON_ITS_WAY, _FAILED = "10000", "10003", "40004"


class Notice(msgspec.Struct, frozen=True):
    """A notice whose signature is proved: about which order, under which number it is told again. A hint, no more."""

    number: str
    event: str
    notice: str
    at: datetime


class _Answer(msgspec.Struct, frozen=True):
    code: str = ""
    sub_code: str = ""
    order_status: str = ""
    auth_no: str = ""
    amount: str = "0"
    total_freeze_fund_amount: str = "0"
    total_pay_amount: str = "0"
    rest_amount: str = "0"
    trade_no: str = ""
    trade_status: str = ""
    total_amount: str = "0"


def freeze_request(number: str) -> str:
    """The number under which an order is frozen, once."""
    return f"{number}-freeze"


def yuan(fen: int) -> str:
    """Fen as Alipay writes money."""
    return f"{fen // 100}.{fen % 100:02}"


def fen(text: str) -> int:
    """What Alipay writes as fen. Raises ValueError."""
    found = _YUAN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def ask(account: Account, call: Call, *, now: datetime, nonce: str) -> Asking:  # noqa: ARG001  (as WeChat's is called)
    """The signed request of a call."""
    body = _form(_signed(account, call, now)).encode()
    return Asking("POST", "", "", {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}, body)


def launch(account: Account, call: Call) -> str:
    """What the payer's telephone starts the freeze with; the same string for the same call, whenever it is asked."""
    return _form(_signed(account, call, call.at))


def hear(account: Account, call: Call, status: int, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Heard:  # noqa: ARG001  (as WeChat's is called)
    """What an answer says; one that Alipay did not sign, or that says nothing sure, is unknown."""
    try:
        parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        raw = bytes(parts.get(_method(call).replace(".", "_") + "_response", b"{}"))
        signature = b64decode(msgspec.json.decode(parts.get("sign", b'""'), type=str), validate=True)
        if status != 200 or not verifies(account, "alipay", signature, raw):  # noqa: PLR2004  (the gateway says nothing else)
            return UNKNOWN
        return _read(call, msgspec.json.decode(raw, type=_Answer))
    except (msgspec.DecodeError, UnicodeDecodeError, NotBase64, ValueError):
        return UNKNOWN


def read_notice(account: Account, body: bytes) -> Notice | None:
    """A notice, if Alipay signed it (all members but `sign` and `sign_type`, sorted) and it is for this account."""
    try:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
        signature = b64decode(form.pop("sign", ""), validate=True)
        form.pop("sign_type", None)
        if form.get("app_id") != account.app or not verifies(account, "alipay", signature, _sorted(form)):
            return None
        told = datetime.strptime(form["notify_time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    except (UnicodeDecodeError, NotBase64, ValueError, KeyError):
        return None
    number = form.get("out_order_no") or form.get("out_trade_no", "").rpartition("-")[0]
    return Notice(number, form.get("notify_type", ""), form.get("notify_id", ""), told)


def with_trade(found: Known, trade: Heard) -> Known:
    """What is known of a freeze, and of the charge that was made of it."""
    if trade.trade == "waiting":
        return msgspec.structs.replace(found, stage="charging", charged=trade.amount)
    if trade.trade == "paid":
        over = found.stage in {"paid", "released"}
        return msgspec.structs.replace(
            found, stage="paid" if over else found.stage, charged=trade.amount, paid=trade.amount
        )
    return found


def _read(call: Call, said: _Answer) -> Heard:
    if said.code == _ON_ITS_WAY:
        return Heard("done", trade="waiting", amount=call.amount)
    if said.code != _WELL:
        return _failed(said)
    if call.verb == "query":
        known = _known(said)
        return UNKNOWN if known is None else Heard("done", known, theirs=said.auth_no)
    if call.verb == "trade":
        trade = _TRADES.get(said.trade_status)
        theirs, amount = said.trade_no, fen(said.total_amount)
        return UNKNOWN if trade is None else Heard("done", trade=trade, theirs=theirs, amount=amount)
    return Heard("done")


def _failed(said: _Answer) -> Heard:
    code = said.sub_code or said.code
    if said.code in _OURS:
        return Heard("ours", said=code)
    outcome = CODES.get(said.sub_code, "illegal") if said.code == _FAILED else "unknown"
    return Heard(outcome, Known() if outcome == "absent" else None, said=code)


def _known(said: _Answer) -> Known | None:
    """Our words for Alipay's of a freeze; None for a state that we have never heard of."""
    held, fund, paid = fen(said.amount), fen(said.total_freeze_fund_amount), fen(said.total_pay_amount)
    match said.order_status:
        case "INIT":
            return Known("to_confirm", held)
        case "AUTHORIZED":
            return Known("held", fen(said.rest_amount) if paid else held, fund, charged=paid, paid=paid)
        case "FINISH" | "CLOSED":
            return Known("paid" if paid else "released", charged=paid, paid=paid)
        case _:
            return None


def _signed(account: Account, call: Call, at: datetime) -> dict[str, str]:
    """The members of a request, with their signature."""
    told = {
        "app_id": account.app, "method": _method(call), "format": "JSON",
        "charset": "utf-8", "sign_type": "RSA2", "version": "1.0",
        "timestamp": at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S"),
        "biz_content": msgspec.json.encode(_content(account, call)).decode(),
    }  # fmt: skip
    if call.notify and call.verb in {"create", "complete"}:
        told["notify_url"] = call.notify
    return {**told, "sign": b64encode(sign(account, _sorted(told))).decode()}


def _method(call: Call) -> str:
    """The gateway's name of a call; to complete at nothing, or to cancel what is frozen, is to give it back."""
    free = call.held and (call.verb == "cancel" or (call.verb == "complete" and not call.amount))
    return _METHODS["free" if free else call.verb]


def _content(account: Account, call: Call) -> dict[str, object]:
    """`biz_content`. What is given back after a use that ended well says so (`bizComplete`)."""
    if _method(call) == _METHODS["free"]:
        ended = msgspec.json.encode({"bizComplete": call.verb == "complete"}).decode()
        extra = msgspec.json.encode({"unfreezeBizInfo": ended}).decode()
        return {
            "auth_no": call.theirs, "out_request_no": call.request, "amount": yuan(call.held), "remark": account.title,
            "extra_param": extra,
        }  # fmt: skip
    if call.verb in {"query", "cancel"}:
        kind = {"operation_type": "FREEZE"} if call.verb == "query" else {"remark": account.title}
        return {"out_order_no": call.number, "out_request_no": freeze_request(call.number), **kind}
    if call.verb == "trade":
        return {"out_trade_no": call.request}
    if call.verb == "create":
        return _freeze(account, call)
    if call.verb == "complete":
        return {
            "out_trade_no": call.request, "auth_no": call.theirs, "auth_confirm_mode": "COMPLETE",
            "product_code": "PREAUTH_PAY", "subject": account.title, "total_amount": yuan(call.amount),
        }  # fmt: skip
    status = msgspec.json.encode({"status": "COMPLETE" if call.verb == "sync" else "CLOSED"}).decode()
    return {
        "trade_no": call.theirs, "out_request_no": call.request, "biz_type": "CREDIT_AUTH", "order_biz_info": status,
    }  # fmt: skip


def _freeze(account: Account, call: Call) -> dict[str, object]:
    minutes = 15 if call.until is None else min(max(int((call.until - call.at).total_seconds()) // 60, 1), 15 * 24 * 60)
    return {
        "out_order_no": call.number, "out_request_no": call.request, "order_title": account.title,
        "amount": yuan(call.amount), "product_code": "PREAUTH_PAY", "timeout_express": f"{minutes}m",
        "deposit_product_mode": "POSTPAY",
        "extra_param": msgspec.json.encode({"category": account.category, "serviceId": account.service}).decode(),
    }  # fmt: skip


def _sorted(members: Mapping[str, str]) -> bytes:
    return "&".join(f"{name}={members[name]}" for name in sorted(members) if members[name]).encode()


def _form(members: Mapping[str, str]) -> str:
    return urlencode(members, quote_via=quote)

"""WeChat Pay score: `/v3/payscore/serviceorder`, API v3 signatures, encrypted notices. Pure.

Orders are of the kind that the payer confirms, so that no openid passes through us: the payer opens the mini-program
of WeChat with the `package` of the create answer, and the use begins `OnAccept`. What WeChat tells of the payer is not
even read. Every answer that would move anything is verified (`Wechatpay-Signature` over three lines). A repeat of a
call says the same bytes as the first: WeChat takes it as the same call.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag

from core.suites import AES
from incentives.channels.account import Account, sign, verifies
from incentives.channels.course import Known
from incentives.channels.words import CHINA, UNKNOWN, Asking, Call, Heard, Outcome

PATH = "/v3/payscore/serviceorder"
SCHEMA = "WECHATPAY2-SHA256-RSA2048"
PROBE = "WECHATPAY/SIGNTEST/"
FRESH_SECONDS = 300
# The last part of Request-Id, as WeChat's own list has them.
CODES: Mapping[int, Outcome] = {
    271317510: "absent",
    271302262: "illegal", 271302332: "illegal", 271302333: "illegal", 271316592: "illegal", 271316657: "illegal",
    271316598: "illegal",
    271300099: "refused", 271299627: "refused", 268560785: "refused",
    271316656: "ours", 268503786: "ours", 270924332: "ours",
    271316754: "unknown", 268435472: "unknown",
}  # fmt: skip
_BY_STATUS: Mapping[int, Outcome] = {400: "illegal", 401: "ours", 403: "ours", 404: "absent", 429: "unknown"}
_UNSIGNED: tuple[Outcome, ...] = ("ours", "illegal", "unknown")
_LAST = re.compile(r"-(\d{9})$")


class Notice(msgspec.Struct, frozen=True):
    """A callback, opened: about which order, and what is said to have happened. A hint, and no more."""

    number: str
    event: str


class _Part(msgspec.Struct, frozen=True):
    amount: int = 0
    paid_type: str = "NEWTON"


class _Collection(msgspec.Struct, frozen=True):
    paid_amount: int = 0
    details: tuple[_Part, ...] = ()


class _Order(msgspec.Struct, frozen=True):
    state: str
    state_description: str = ""
    risk_fund: _Part = _Part()
    total_amount: int = 0
    collection: _Collection = _Collection()
    package: str | None = None
    order_id: str = ""


class _Resource(msgspec.Struct, frozen=True):
    algorithm: str
    ciphertext: str
    nonce: str
    associated_data: str = ""


class _Notice(msgspec.Struct, frozen=True):
    event_type: str
    resource: _Resource


class _Numbered(msgspec.Struct, frozen=True):
    out_order_no: str


def ask(account: Account, call: Call, *, now: datetime, nonce: str) -> Asking:
    """The signed request of a call."""
    method, path, query, members = _of(account, call)
    body = b"" if members is None else msgspec.json.encode(members)
    stamp = str(int(now.timestamp()))
    signed = b64encode(sign(account, lines(method, path + query, stamp, nonce, body.decode()))).decode()
    told = (
        f'{SCHEMA} mchid="{account.merchant}",nonce_str="{nonce}",signature="{signed}",'
        f'timestamp="{stamp}",serial_no="{account.key_serial}"'
    )
    headers = {"Authorization": told, "Accept": "application/json", "Content-Type": "application/json"}
    serial = next(iter(account.theirs))
    return Asking(method, path, query, {**headers, "Wechatpay-Serial": serial, "User-Agent": "osmanthus"}, body)


def hear(account: Account, call: Call, status: int, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Heard:
    """What an answer says; one that WeChat did not sign, or that says nothing sure, is unknown."""
    signed = is_signed(account, headers, body, now=now)
    if status // 100 == 2:  # noqa: PLR2004  (RFC 9110, section 15)
        return _read(call, body) if signed else UNKNOWN
    found = _LAST.search(headers.get("request-id", ""))
    code = int(found[1]) if found else None
    outcome = CODES.get(code or 0) or _BY_STATUS.get(status, "unknown")
    if not signed and outcome not in _UNSIGNED:
        return UNKNOWN
    return Heard(outcome, Known() if outcome == "absent" else None, said=str(code or status))


def is_signed(account: Account, headers: Mapping[str, str], body: bytes, *, now: datetime) -> bool:
    """Whether WeChat signed this just now (answers and callbacks alike); header names in lower case."""
    stamp, signature = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-signature", "")
    if not (stamp.isascii() and stamp.isdigit()) or abs(now.timestamp() - int(stamp)) > FRESH_SECONDS:
        return False
    try:
        raw = b64decode(signature, validate=True)
    except (NotBase64, ValueError):  # also PROBE: WeChat tries whether we look
        return False
    message = f"{stamp}\n{headers.get('wechatpay-nonce', '')}\n".encode() + body + b"\n"
    return verifies(account, headers.get("wechatpay-serial", ""), raw, message)


def open_notice(account: Account, body: bytes) -> Notice | None:
    """The callback, if its resource opens with this account's key (AEAD_AES_256_GCM); its signature was proved."""
    try:
        found = msgspec.json.decode(body, type=_Notice)
        box = found.resource
        sealed = b64decode(box.ciphertext, validate=True)
        plain = AES.cipher(account.secret.encode()).decrypt(box.nonce.encode(), sealed, box.associated_data.encode())
        return Notice(msgspec.json.decode(plain, type=_Numbered).out_order_no, found.event_type)
    except (msgspec.DecodeError, UnicodeDecodeError, NotBase64, ValueError, InvalidTag):
        return None


def lines(*parts: str) -> bytes:
    """What is signed: every part ends its line."""
    return "".join(f"{part}\n" for part in parts).encode()


def _of(account: Account, call: Call) -> tuple[Any, str, str, dict[str, object] | None]:
    """Method, path, query and members of a call."""
    known = {"appid": account.app, "service_id": account.service}
    if call.verb == "query":
        query = f"?service_id={account.service}&out_order_no={call.number}&appid={account.app}"
        return "GET", PATH, query, None
    if call.verb == "create":
        return "POST", PATH, "", {"out_order_no": call.number, **known, **_created(account, call)}
    return "POST", f"{PATH}/{call.number}/{call.verb}", "", {**known, **_said(account, call)}


def _created(account: Account, call: Call) -> dict[str, object]:
    ends = {} if call.ends is None else {"end_time": _time(call.ends)}
    return {
        "service_introduction": account.title,
        "time_range": {"start_time": "OnAccept", **ends},
        "risk_fund": {"name": "DEPOSIT", "amount": call.amount, "description": account.title},
        "attach": call.attach,
        "notify_url": call.notify,
        "need_user_confirm": True,
    }


def _said(account: Account, call: Call) -> dict[str, object]:
    """Members of a call about an order that is there."""
    if call.verb == "cancel":
        return {"reason": "订单已取消"}
    if call.verb == "sync":
        return {"type": "Order_Paid", "detail": {"paid_time": _time(call.at)}}
    charged = {"post_payments": [{"name": account.title, "amount": call.amount}], "total_amount": call.amount}
    if call.verb == "modify":
        return {**charged, "reason": "减收"}
    return {**charged, "time_range": {"end_time": _time(min(call.ends or call.at, call.at))}, "profit_sharing": False}


def _read(call: Call, body: bytes) -> Heard:
    try:
        found = msgspec.json.decode(body, type=_Order)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # A cancel answers with numbers alone: what came of it, the next query says.
        return Heard("done") if call.verb != "query" else UNKNOWN
    known = _known(found)
    return UNKNOWN if known is None else Heard("done", known, launch=found.package, theirs=found.order_id)


def _known(found: _Order) -> Known | None:
    """Our words for WeChat's; None for a state that we have never heard of."""
    held = found.risk_fund.amount
    match found.state, found.state_description:
        case "CREATED", _:
            return Known("to_confirm", held)
        case "DOING", "USER_CONFIRM":
            return Known("held", held)
        case "DOING", "MCH_COMPLETE":
            return Known("charging", held, charged=found.total_amount)
        case "DONE", _:
            parts = found.collection.details or (_Part(found.collection.paid_amount),)
            paid = sum(part.amount for part in parts if part.paid_type != "MCH")
            elsewhere = any(part.paid_type == "MCH" for part in parts)
            return Known("paid" if paid else "released", charged=found.total_amount, paid=paid, elsewhere=elsewhere)
        case (("REVOKED" | "EXPIRED"), _):
            return Known("released")
        case _:
            return None


def _time(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y%m%d%H%M%S")

"""The calls about one order, each with its own number, made from the order's and never anew. Pure.

A number is a function of the order and of how many charges of it are known to be closed: nobody can make a second
freeze or a second charge by not knowing of the first.
"""

from datetime import datetime

from incentives.channels.alipay import freeze_request
from incentives.channels.course import Channel, Verb
from incentives.channels.words import Call

_ALIPAY = {"modify": "void", "sync": "sync"}


def request(channel: Channel, verb: Verb, number: str, *, turn: int, amount: int) -> str:
    """The number of a call; Alipay reads it (`out_request_no`, `out_trade_no`), WeChat reads the order's alone."""
    if channel == "wechat":
        return f"{number}-{verb}-{amount}" if verb == "modify" else f"{number}-{verb}"
    if verb == "create":
        return freeze_request(number)
    if verb == "cancel" or (verb == "complete" and not amount):
        return f"{number}-free"
    return f"{number}-pay{turn}" if verb == "complete" else f"{number}-{_ALIPAY[verb]}{turn}"


def look(channel: Channel, number: str, *, at: datetime) -> Call:
    """The question how the order stands there."""
    asked = request(channel, "create", number, turn=0, amount=0) if channel == "alipay" else ""
    return Call("query", number, asked, at)


def charge(channel: Channel, number: str, *, turn: int) -> str | None:
    """The number of the charge that may be under way, where a charge has one of its own."""
    return request(channel, "complete", number, turn=turn, amount=1) if channel == "alipay" else None


def trade(number: str, asked: str, *, at: datetime) -> Call:
    """The question how a charge stands."""
    return Call("trade", number, asked, at)

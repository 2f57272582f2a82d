"""What both channels' protocols speak of: a call that is to be made, its request, and what was heard. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Literal

import msgspec

from incentives.channels.course import Known, Verb

CHINA = timezone(timedelta(hours=8))
# `done`: it is so. `unknown`: nobody knows, a query will tell. `absent`: no such order there. `illegal`: not in the
# state in which it is, so look again. `refused`: not for this payer. `ours`: a fault of our own side.
Outcome = Literal["done", "unknown", "absent", "illegal", "refused", "ours"]


class Call(msgspec.Struct, frozen=True):
    """One call about an order. `number`: what the channel knows the order by; `request`: this call's own number.

    `amount` in fen; `at`: when it was first asked, which repeats say again, byte for byte; `until`: by when the payer
    must have agreed; `ends`: the planned or the real end; `attach`: the merchant's own number.
    """

    verb: Verb | Literal["query", "trade"]
    number: str
    request: str
    at: datetime
    amount: int = 0
    held: int = 0
    turn: int = 0
    theirs: str = ""
    until: datetime | None = None
    ends: datetime | None = None
    attach: str = ""
    notify: str = ""


class Asking(msgspec.Struct, frozen=True):
    """One HTTP request; `query` is what follows the path, with its question mark."""

    method: Literal["GET", "POST"]
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Heard(msgspec.Struct, frozen=True):
    """What an answer says. `launch`: with what the payer's telephone goes on; `theirs`: the channel's own number.

    `trade`: how a charge of its own stands, where a channel has such. `said`: the channel's code, for the operator.
    """

    outcome: Outcome
    known: Known | None = None
    launch: str | None = None
    theirs: str = ""
    trade: Literal["waiting", "paid", "closed"] | None = None
    amount: int = 0
    said: str = ""


UNKNOWN = Heard("unknown")

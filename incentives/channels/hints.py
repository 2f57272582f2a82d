"""A channel calls back: what it says is proved, and then only wakes the next look; how things stand, a query tells.

Promises: nothing is believed but which order to look at; a signature that does not hold, a stale one, WeChat's own
probes and the same bytes once more wake nothing. Callbacks may come twice and in any order.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from incentives.channels import alipay, wechat
from incentives.channels.account import Account

_HINT = text("select incentives.hint_channel(:channel, :number, :partners)")


class Hint(msgspec.Struct, frozen=True):
    """Which order to look at, of which partners; `once` is the same for the same bytes, or a notice told again."""

    channel: str
    number: str
    partners: tuple[str, ...]
    once: str


def of_wechat(accounts: Sequence[Account], headers: Mapping[str, str], body: bytes, *, now: datetime) -> Hint | None:
    """The hint of a callback of WeChat's; None when nobody of theirs signed it just now, or it opens with no key."""
    meant = [one for one in accounts if one.channel == "wechat" and wechat.is_signed(one, headers, body, now=now)]
    opened = [(one, notice) for one in meant if (notice := wechat.open_notice(one, body)) is not None]
    if not opened:
        return None
    partners = tuple({one.partner for one, _ in opened})
    return Hint("wechat", opened[0][1].number, partners, headers["wechatpay-signature"])


def of_alipay(accounts: Sequence[Account], body: bytes, *, now: datetime) -> Hint | None:
    """The hint of a notice of Alipay's; None when it is not signed, for nobody here, or older than it is told again."""
    read = [
        (one, notice)
        for one in accounts
        if one.channel == "alipay" and (notice := alipay.read_notice(one, body)) is not None
    ]
    if not read or abs(now - read[0][1].at) > alipay.FRESH:
        return None
    return Hint("alipay", read[0][1].number, tuple({one.partner for one, _ in read}), read[0][1].notice)


async def wake(session: AsyncSession, hint: Hint) -> bool:
    """Have the order looked at; False when there is none of this number. On the jobs door; its caller commits."""
    given = {"channel": hint.channel, "number": hint.number, "partners": list(hint.partners)}
    return bool(await session.scalar(_HINT, given))

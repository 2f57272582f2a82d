"""One call over HTTP: signed, sent, verified, read. What breaks on the way, 5xx and what is not signed are unknown."""

import hashlib
import secrets

import msgspec

from core import clock, outbound
from core.outbound import BadAddress, NotReached
from incentives.channels import alipay, wechat
from incentives.channels.account import Account
from incentives.channels.words import UNKNOWN, Call, Heard

SECONDS = 10.0
_MOST = 100_000


class Told(msgspec.Struct, frozen=True):
    """What was heard, and SHA-256 of the bytes that said it."""

    heard: Heard
    digest: bytes


async def ask(account: Account, call: Call, *, sandbox: bool, seconds: float = SECONDS) -> Told:
    """Make a call; whatever goes wrong on the way is `unknown`, and raises nothing."""
    spoken = wechat if account.channel == "wechat" else alipay
    asking = spoken.ask(account, call, now=clock.wall(), nonce=secrets.token_hex(16))
    look = asking.query.removeprefix("?") if asking.method == "GET" else None
    try:
        async with outbound.post(
            account.address + asking.path, body=asking.body, headers=asking.headers, sandbox=sandbox, most=_MOST,
            seconds=seconds, get=look,
        ) as answer:  # fmt: skip
            body = b"".join([chunk async for chunk in answer.chunks])
    except (NotReached, BadAddress):
        return Told(UNKNOWN, b"")
    heard = spoken.hear(account, call, answer.status, answer.headers, body, now=clock.wall())
    return Told(heard, hashlib.sha256(body).digest())

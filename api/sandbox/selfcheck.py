"""`POST /v1/sandbox/self-check`: what a partner's endpoint does with events, good and bad, in plain words.

Each probe is one request as a webhook sends it, signed with the webhook's own secret, or wrongly on purpose; the status
says what the endpoint made of it. Promises to store nothing and to tell nobody else. Does not promise that an event was
used well: whether a duplicate was counted once, only the partner's own books say.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import UNSET, Meta, UnsetType

from api.deps import House
from api.guards import Client
from api.sandbox import probes
from api.sandbox.door import behind
from api.sandbox.probes import Finding, Probe
from core import clock, ids, outbound
from core.errors import Conflict, NotFound
from core.outbound import BadAddress, NotReached
from incentives.events import secrets, signing

_WEBHOOKS = "select * from sandbox.webhooks_of($1)"
_SECONDS = 8.0
_HALF_TIME = 1.5


class NoWebhook(Conflict):
    """The caller has registered no address."""

    code = "no_webhook"
    title = "There is no webhook to check"


class Which(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which webhook (`wh_…`); the first, if not said."""

    webhook: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET


class Report(msgspec.Struct, frozen=True):
    """What the endpoint did. `passed`: everything was right; `remember`: what no probe can see."""

    webhook: str
    url: str
    passed: bool
    findings: list[Finding]
    remember: tuple[str, ...]


class _Hook(msgspec.Struct, frozen=True):
    id: uuid.UUID
    url: str
    serial: int
    old_until: datetime | None


@post("/v1/sandbox/self-check", status_code=200, summary="Check my webhook endpoint")
async def check(data: JSONBody[Which], house: NamedDependency[House], caller: NamedDependency[Client]) -> Report:
    """Send good, bad, repeated, late and slow events to the caller's endpoint, and say what to change."""
    hook = await _hook(house, caller, data)
    names = {probe.message: ids.show("ev", ids.random()) for probe in probes.PROBES}
    findings: list[Finding] = []
    for probe in probes.PROBES:
        findings.append(await _tried(house, hook, probe, names[probe.message]))
        if findings[-1].status is None:
            break
    passed = len(findings) == len(probes.PROBES) and all(one.right for one in findings)
    return Report(ids.show("wh", hook.id), hook.url, passed, findings, probes.REMEMBER)


async def _hook(house: House, caller: Client, data: Which) -> _Hook:
    wanted = None if data.webhook is UNSET else ids.read("wh", data.webhook)
    pool = await house.doors.pool()
    found = [_Hook(*row) for row in await pool.fetch(_WEBHOOKS, caller.jti_hash)]
    if not found:
        raise NoWebhook("Register one: POST /v1/partner/webhooks.")
    for one in found:
        if wanted in {None, one.id}:
            return one
    raise NotFound


async def _tried(house: House, hook: _Hook, probe: Probe, name: str) -> Finding:
    """Send a probe and judge the answer."""
    now = clock.wall()
    good = secrets.good(house.ring, hook.id, hook.serial, old_until=hook.old_until, now=now)
    message = signing.body(kind=probe.kind, at=now, data=msgspec.json.encode(probe.data).decode())
    told = dict(signing.headers(name, now - timedelta(seconds=probe.age), message, good))
    if probe.forged:
        told["webhook-signature"] = " ".join(probes.forged(one) for one in told["webhook-signature"].split(" "))
    began, status = time.monotonic(), None
    try:
        async with outbound.post(
            hook.url, body=_slowly(message) if probe.slow else message, sandbox=True, most=0, seconds=_SECONDS,
            headers={**told, "content-length": str(len(message))},
        ) as answer:  # fmt: skip
            status = answer.status
    except (NotReached, BadAddress):
        pass
    return probes.judged(probe, status, millis=int(1000 * (time.monotonic() - began)))


async def _slowly(message: bytes) -> AsyncIterator[bytes]:
    """The message in two halves, with a pause between them."""
    half = len(message) // 2
    yield message[:half]
    await asyncio.sleep(_HALF_TIME)
    yield message[half:]


handlers = [behind([check])]

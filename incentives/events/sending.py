"""One delivery: looked up, sent, marked. What the worker does for each job of the queue.

Each step is a transaction of its own, and nothing is held while the other side takes its time. The answer's body is
never read; what is kept of it is the status. Protocol time is the wall's: a sandbox that moves its civil clock moves no
retry.
"""

import random
import time
import uuid

import structlog

from core import clock, ids, outbound
from core.db import Doors
from core.keys import Keyring
from core.later import NotNow
from core.outbound import BadAddress, NotReached
from incentives.events import course, deliveries, secrets, signing
from incentives.events.course import Reply
from incentives.events.deliveries import Due
from incentives.events.lanes import Lanes

SECONDS = 15.0
_log = structlog.get_logger("osmanthus.webhooks")


class Sender:
    """The sender of one worker."""

    def __init__(self, doors: Doors, ring: Keyring, *, sandbox: bool, seconds: float = SECONDS) -> None:
        """`sandbox` lets a webhook be on this machine; an attempt takes `seconds` at most."""
        self._doors, self._ring = doors, ring
        self._sandbox, self._seconds = sandbox, seconds
        self._lanes = Lanes()

    async def send(self, payload: str) -> None:
        """Make a delivery, by its id, if it is due. Raises NotNow while its webhook has no room or asked for peace."""
        delivery_id = uuid.UUID(payload)
        async with self._doors.work("jobs") as session:
            found = await deliveries.find(session, delivery_id)
        if found is None:
            return
        if found.wait:
            raise NotNow(found.wait * (1 + random.random()))  # noqa: S311  (nobody gains by guessing it)
        if (full := self._lanes.enter(found.webhook_id, failing=found.failing)) is not None:
            raise NotNow(full)
        try:
            await self._make(delivery_id)
        finally:
            self._lanes.leave(found.webhook_id)

    async def _make(self, delivery_id: uuid.UUID) -> None:
        async with self._doors.work("jobs") as session:
            due = await deliveries.begin(session, delivery_id)
        if due is None:
            return
        began = time.monotonic()
        said = await self._post(due)
        millis = int(1000 * (time.monotonic() - began))
        step = course.after(due.attempts + 1, said, chance=random.random())  # noqa: S311  (spreads the load)
        async with self._doors.work("jobs") as session:
            stored = await deliveries.end(session, due, said, step, millis=millis)
        if stored and step.state != "delivered":
            _log.info(
                "webhook", outcome=said.outcome, status=said.status, attempt=due.attempts + 1, state=step.state,
                webhook=ids.show("wh", due.webhook_id), about=ids.show("ev", due.event_id),
            )  # fmt: skip

    async def _post(self, due: Due) -> Reply:
        """Send one signed request and hear the status."""
        now = clock.wall()
        good = secrets.good(self._ring, due.webhook_id, due.serial, old_until=due.old_until, now=now)
        message = signing.body(kind=due.kind, at=due.at, data=due.data)
        told = signing.headers(ids.show("ev", due.event_id), now, message, good)
        try:
            async with outbound.post(
                due.url, body=message, headers=told, sandbox=self._sandbox, most=0, seconds=self._seconds, public=True
            ) as answer:
                return course.reply(answer.status, answer.retry_after)
        except NotReached:
            return Reply("no_answer")
        except BadAddress:
            return Reply("bad_address")

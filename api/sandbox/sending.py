"""A sandbox's sender of webhooks: the same one, but for the faults that a partner ordered.

Duplicates and reordering are of the delivery alone: the event, its `webhook-id` and its `seq` are as always.
"""

import asyncio
import contextlib

from api.deps import House
from api.sandbox import faults
from incentives.events.course import Reply
from incentives.events.deliveries import Due
from incentives.events.sending import Sender

_WAITS, _LONGEST = 10, 20  # a job that is held for longer is taken for a dead worker's


class Twisted(Sender):
    """The sender of one worker of a sandbox."""

    def __init__(self, house: House) -> None:
        """`house.short` knows what was ordered."""
        super().__init__(house.doors, house.ring, sandbox=True)
        self._short = house.short
        self._overtaken: dict[str, asyncio.Event] = {}

    async def _post(self, due: Due) -> Reply:
        fault = await faults.strike(self._short, due.partner_id, "webhooks")
        if fault is not None and fault.fault == "slow_delivery":
            await asyncio.sleep(min(_LONGEST, fault.held()))
        elif fault is not None and fault.fault == "reordered_delivery":
            await self._next_one(due.partner_id, min(_LONGEST, fault.held() or _WAITS))
        said = await super()._post(due)
        if fault is not None and fault.fault == "duplicate_delivery":
            await super()._post(due)
        if (waiting := self._overtaken.pop(due.partner_id, None)) is not None:
            waiting.set()
        return said

    async def _next_one(self, partner_id: str, seconds: int) -> None:
        """Wait until another delivery to this partner has arrived, but not for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._overtaken.setdefault(partner_id, asyncio.Event()).wait()

"""How many requests are under way to each webhook: one that is slow or dead keeps nobody else waiting. Pure.

A webhook that answers may have eight at a time, one that fails a single one. Who finds the lane full is told when to
come back: each a little later than the one before, so that a long queue does not come all at once.
"""

import uuid
from datetime import timedelta

_WIDTH, _WIDTH_FAILING = 8, 1
_SOONEST, _LATEST = 0.5, 60.0
_TURN = 1.0


class Lanes:
    """The lanes of one worker."""

    def __init__(self) -> None:
        """Nothing is under way."""
        self._busy: dict[uuid.UUID, int] = {}
        self._turned: dict[uuid.UUID, int] = {}

    def enter(self, webhook_id: uuid.UUID, *, failing: bool) -> timedelta | None:
        """Take a place; where there is none, how long to wait. Whoever entered leaves."""
        width = _WIDTH_FAILING if failing else _WIDTH
        busy = self._busy.get(webhook_id, 0)
        if busy < width:
            self._busy[webhook_id] = busy + 1
            return None
        self._turned[webhook_id] = turned = self._turned.get(webhook_id, 0) + 1
        return timedelta(seconds=min(_LATEST, _SOONEST + turned * _TURN / width))

    def leave(self, webhook_id: uuid.UUID) -> None:
        """Give the place back; with the last one, the queue begins anew."""
        left = self._busy.pop(webhook_id) - 1
        if left:
            self._busy[webhook_id] = left
        else:
            self._turned.pop(webhook_id, None)

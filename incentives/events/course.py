"""The course of one delivery: when it is tried again, and what an answer means. Pure.

Standard Webhooks 1.0.0, "Deliverability and reliability": 2xx alone is success, a redirect is a failure, 410 ends it,
429, 502 and 504 and whoever says Retry-After are given time. Ten attempts within 75 hours and 35 minutes.
"""

from datetime import timedelta
from typing import Literal

import msgspec

_PLAN = (0, 5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
# How long after the attempt before it each attempt comes.
WAITS = tuple(timedelta(seconds=seconds) for seconds in _PLAN)
ATTEMPTS = len(WAITS)
STARTS = 3
_SPREAD = 0.1
_GONE = 410
_BUSY = frozenset({429, 502, 504})
_BREATH = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)

State = Literal["waiting", "delivered", "exhausted", "disabled"]
Outcome = Literal["delivered", "status", "redirect", "gone", "no_answer", "bad_address"]


class Reply(msgspec.Struct, frozen=True):
    """What came of an attempt: a status, or none; `retry_after` in seconds."""

    outcome: Outcome
    status: int | None = None
    retry_after: int | None = None


class Step(msgspec.Struct, frozen=True):
    """What follows: the delivery's state, when it is tried again, and for how long its webhook is left in peace."""

    state: State
    after: timedelta = timedelta(0)
    pause: timedelta = timedelta(0)


def reply(status: int, retry_after: int | None = None) -> Reply:
    """What an answer with this status means."""
    if 200 <= status < 300:  # noqa: PLR2004  (RFC 9110, section 15)
        return Reply("delivered", status)
    if 300 <= status < 400:  # noqa: PLR2004  (RFC 9110, section 15)
        return Reply("redirect", status)
    return Reply("gone" if status == _GONE else "status", status, retry_after)


def after(attempts: int, said: Reply, *, chance: float) -> Step:
    """What follows attempt number `attempts` (1 is the first). `chance`, 0 to 1, spreads who waits for the same."""
    if said.outcome == "delivered":
        return Step("delivered")
    if said.outcome == "gone":
        return Step("disabled")
    pause = _pause(said)
    if attempts >= ATTEMPTS:
        return Step("exhausted", pause=pause)
    wait = WAITS[attempts] * (1 + _SPREAD * (2 * chance - 1))
    return Step("waiting", max(wait, pause), pause)


def _pause(said: Reply) -> timedelta:
    """How long to leave the webhook in peace: as it asks, an hour at most."""
    if said.retry_after is not None:
        return min(timedelta(seconds=said.retry_after), _LONGEST_PAUSE)
    return _BREATH if said.status in _BUSY else timedelta(0)

"""What a partner asked within a day and what it was answered, for the people who run its system.

Keeps nothing: these are the decisions that stand anyway, for thirty days. Promises: only the caller's own, nothing that
was not in the answer, and no holder. Does not promise requests that were refused before anything was decided (a bad
signature, an unknown member): those are in the caller's own log, by the request's id.
"""

import uuid
from datetime import datetime

import msgspec

from incentives.eligibility import Gate, TokenDead

MOST = 500
_ASK = "select * from incentives.checks_of_caller($1, $2, $3)"


class Check(msgspec.Struct, frozen=True):
    """A check as it was answered; `reason` is impersonal."""

    id: uuid.UUID
    at: datetime
    perk_id: str
    granted: bool
    reason: str | None


async def latest(gate: Gate, *, token: bytes, since: datetime, most: int) -> list[Check]:
    """Up to `most` of the caller's checks after `since`, within the last day, newest first. Raises TokenDead."""
    rows = await gate.fetch(_ASK, token, since, most)
    if not rows:
        raise TokenDead("Ask for a new access token.")
    return [Check(*row) for row in rows if row["id"] is not None]

"""Counters: a shop's telephone that asks about one perk at one terminal, with no system of the shop's behind it.

Promises: a link opens one counter once, within its time; what it leaves behind is a session whose secret only the
cookie holds. Behind a counter stands a live token of the partner, whose own secret nobody was ever told: every gate
function proves it like any other caller, and it is over with the counter and with the partner's registration. What a
counter asks is an ordinary check, which the citizen reads. Does not keep a tally: the day's is counted from decisions.
"""

import hashlib
import secrets
import uuid
from datetime import datetime

import msgspec

from core import ids
from core.errors import Conflict
from incentives.eligibility import Gate, TokenDead

MOST = 50
_MAKE = "select * from incentives.make_counter($1, $2, $3, $4, $5, $6, $7, $8, $9)"
_LIST = "select * from incentives.counters_of_caller($1)"
_END = "select incentives.end_counter($1, $2, $3) as ended"
_OPEN = "select incentives.open_counter($1, $2, $3) as ends_at"
_FIND = "select * from incentives.counter_of($1)"
_DAY = "select * from incentives.counter_day($1)"


class TooManyCounters(Conflict):
    """The partner has as many counters as one may have."""

    code = "too_many_counters"
    title = "Too many counters"


class Plan(msgspec.Struct, frozen=True):
    """What a counter is for: `deposit` in fen is what a stranger leaves there, if anything; it lives `days`."""

    perk: str
    name: str
    terminal: str | None
    deposit: int | None
    days: int


class Made(msgspec.Struct, frozen=True):
    """A counter that waits for its telephone; `secret` opens it once, until `link_until` (wall clock)."""

    id: uuid.UUID
    secret: str
    link_until: datetime
    ends_at: datetime


class Listed(msgspec.Struct, frozen=True):
    """A counter as its partner sees it; `opened_at` None: nobody has used its link."""

    id: uuid.UUID
    perk_id: str
    name: str
    terminal: str | None
    deposit: int | None
    link_until: datetime
    opened_at: datetime | None
    ends_at: datetime


class Counter(msgspec.Struct, frozen=True):
    """A counter as its own session sees it; `token` proves it to gate functions, `orders`: it may keep orders."""

    id: uuid.UUID
    partner_id: str
    partner: str
    perk_id: str
    name: str
    terminal: str | None
    deposit: int | None
    token: bytes
    orders: bool
    ends_at: datetime

    def key(self, given: str) -> str:
        """The Idempotency-Key of something that this counter does; the tally finds its checks by it."""
        return f"counter {self.id} {given}"


async def make(gate: Gate, plan: Plan, *, token: bytes, link_minutes: int) -> Made:
    """Make a counter for the caller of `token`, who holds the perk. Raises TokenDead, TooManyCounters."""
    secret, number = secrets.token_urlsafe(24), ids.random()
    rows = await gate.fetch(
        _MAKE, token, number, plan.perk, plan.name, plan.terminal, plan.deposit, digest(secret), link_minutes, plan.days
    )
    if not rows:
        raise TokenDead("Ask for a new access token.")
    if not rows[0]["made"]:
        detail = f"A partner has at most {MOST}; end one first."
        raise TooManyCounters(detail)
    return Made(number, secret, rows[0]["link_until"], rows[0]["ends_at"])


async def mine(gate: Gate, *, token: bytes) -> list[Listed]:
    """The caller's counters that have not ended, newest first. Raises TokenDead."""
    rows = await gate.fetch(_LIST, token)
    if not rows:
        raise TokenDead("Ask for a new access token.")
    return [Listed(*row) for row in rows if row["id"] is not None]


async def end(gate: Gate, *, token: bytes, counter_id: uuid.UUID) -> bool:
    """End one of the caller's counters at once; False: there is none such."""
    return (await gate.fetch(_END, token, counter_id, None))[0]["ended"]


async def hand_back(gate: Gate, *, session: str) -> None:
    """End the counter of a session: its telephone gives it back."""
    await gate.fetch(_END, None, None, digest(session))


async def open_by(gate: Gate, *, secret: str) -> tuple[str, datetime] | None:
    """Open a counter by its link's secret: the session's secret and its end; None where the link is not good."""
    session = secrets.token_urlsafe(32)
    ends_at = (await gate.fetch(_OPEN, digest(secret), digest(session), secrets.token_bytes(32)))[0]["ends_at"]
    return None if ends_at is None else (session, ends_at)


async def of(gate: Gate, *, session: str) -> Counter | None:
    """The live counter of a session."""
    rows = await gate.fetch(_FIND, digest(session))
    return Counter(*rows[0]) if rows else None


async def granted_today(gate: Gate, *, session: str) -> dict[uuid.UUID, int]:
    """How often the counter granted on the city's day so far, by the release that says the terms."""
    return {row["release_id"]: row["granted"] for row in await gate.fetch(_DAY, digest(session))}


def digest(secret: str) -> bytes:
    """SHA-256 of a secret, which alone is stored."""
    return hashlib.sha256(secret.encode()).digest()

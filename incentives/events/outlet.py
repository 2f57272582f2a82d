"""What a partner asks at its door about events and webhooks: one gate function a question, proved by the token's hash.

Promises: nothing of another partner, not even that it is there; a dead token gets TokenDead.
"""

import uuid
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from core import ids
from core.errors import Conflict, NotFound
from incentives.eligibility import TokenDead

MOST_WEBHOOKS = 5
MOST_REPLAYED = 1000


class WebhookExists(Conflict):
    """The address is registered already."""

    code = "webhook_exists"
    title = "This address is registered already"


class TooManyWebhooks(Conflict):
    """The partner has as many webhooks as it may have."""

    code = "too_many_webhooks"
    title = "No more webhooks"


class Event(msgspec.Struct, frozen=True):
    """An event of the list; `data` is JSON."""

    id: uuid.UUID
    type: str
    object: str
    seq: int
    data: str
    at: datetime


class Webhook(msgspec.Struct, frozen=True):
    """Where a partner is told; `types` None means every one; `waiting` deliveries are still to be made."""

    id: uuid.UUID
    url: str
    types: list[str] | None
    created_at: datetime
    disabled_at: datetime | None
    failing_since: datetime | None
    paused_until: datetime | None
    old_until: datetime | None
    waiting: int


class Delivery(msgspec.Struct, frozen=True):
    """What became of an event at a webhook; `attempts` is JSON, the latest ten."""

    event_id: uuid.UUID
    type: str
    state: str
    tried: int
    next_at: datetime | None
    changed_at: datetime
    attempts: str | None


class Outlet:
    """The partner door's raw pool."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        """`pool` keeps no session state between uses."""
        self._pool = pool

    async def events(self, token: bytes, *, after: uuid.UUID | None, most: int) -> list[Event]:
        """Up to `most` events after one, oldest first. NotFound for an event that is not there any more."""
        first, *rows = await self._ask("events_of_caller", token, after, most)
        if not first["known"]:
            raise NotFound("The cursor leads nowhere: events are kept for 45 days. Begin without it.")
        return [_of(Event, row) for row in rows]

    async def add(self, token: bytes, *, url: str, types: list[str] | None) -> Webhook:
        """Register an address. WebhookExists, TooManyWebhooks."""
        webhook_id = ids.random()
        (row,) = await self._ask("add_webhook", token, webhook_id, url, types, MOST_WEBHOOKS)
        if row["made"]:
            return Webhook(webhook_id, url, types, row["created_at"], None, None, None, None, 0)
        if row["others"] >= MOST_WEBHOOKS:
            detail = f"A partner has {MOST_WEBHOOKS} webhooks at most. Remove one first."
            raise TooManyWebhooks(detail)
        raise WebhookExists("GET /v1/partner/webhooks lists it; its secret is shown by rotating it.")

    async def webhooks(self, token: bytes) -> list[Webhook]:
        """The caller's, oldest first."""
        _, *rows = await self._ask("webhooks_of_caller", token)
        return [_of(Webhook, row) for row in rows]

    async def remove(self, token: bytes, webhook_id: uuid.UUID) -> None:
        """Remove one. NotFound."""
        (row,) = await self._ask("remove_webhook", token, webhook_id)
        _must_be_there(row["found"])

    async def rotate(self, token: bytes, webhook_id: uuid.UUID) -> tuple[int, datetime]:
        """The next generation of secrets, and until when the one before is good. NotFound."""
        (row,) = await self._ask("rotate_webhook", token, webhook_id)
        _must_be_there(row["serial"])
        return row["serial"], row["old_until"]

    async def test(self, token: bytes, webhook_id: uuid.UUID) -> uuid.UUID:
        """Send an event to one webhook alone; returns the event. NotFound."""
        (row,) = await self._ask("test_webhook", token, webhook_id, ids.show("wh", webhook_id))
        _must_be_there(row["event_id"])
        return row["event_id"]

    async def replay(
        self, token: bytes, webhook_id: uuid.UUID, *, event: uuid.UUID | None, since: datetime | None
    ) -> int:
        """Send again: one event, or what did not arrive since; returns how many. NotFound."""
        (row,) = await self._ask("replay_webhook", token, webhook_id, event, since, MOST_REPLAYED)
        _must_be_there(row["found"] and (event is None or row["times"]))
        return row["times"]

    async def deliveries(
        self, token: bytes, webhook_id: uuid.UUID, *, state: str | None, before: uuid.UUID | None, most: int
    ) -> list[Delivery]:
        """What became of events at a webhook, the newest first. NotFound."""
        first, *rows = await self._ask("deliveries_of_caller", token, webhook_id, state, before, most)
        _must_be_there(first["found"])
        return [_of(Delivery, row) for row in rows]

    async def _ask(self, function: str, *arguments: object) -> "list[asyncpg.Record]":
        places = ", ".join(f"${place}" for place in range(1, len(arguments) + 1))
        query = f"select * from incentives.{function}({places})"  # noqa: S608  (names of ours)
        rows = await self._pool.fetch(query, *arguments)
        if not rows:
            raise TokenDead("Ask for a new access token.")
        return rows


def _of(kind: type[Any], row: "asyncpg.Record") -> Any:
    return kind(*(row[name] for name in kind.__struct_fields__))


def _must_be_there(found: object) -> None:
    if not found:
        raise NotFound

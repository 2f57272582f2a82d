"""The first answer to an Idempotency-Key, kept in the transaction of its effect.

Same caller, key and input: the first answer again. Same key, other input: a conflict that names the member. Still
running: a conflict that says so. A rolled-back effect leaves no row, so nothing is ever half remembered; a second
request with the same key waits on the row of the first, at most `_WAIT`. What was sent is not kept: a repeat is told
from another input by keyed digests, member by member.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, sealed
from core.errors import Conflict, FieldError
from core.tables import idempotency

_WAIT = "250ms"
_LOCK_TIMEOUT = "55P03"


class IdempotencyConflict(Conflict):
    """The key was used with another input."""

    code = "idempotency_conflict"
    title = "This Idempotency-Key was used with another input"


class IdempotencyInFlight(Conflict):
    """The first request with this key has not ended."""

    code = "idempotency_in_flight"
    title = "The first request with this Idempotency-Key is still running"
    retryable = True


class Stored(msgspec.Struct, frozen=True):
    """A first answer: HTTP status and body bytes."""

    status: int
    body: bytes


async def begin(
    session: AsyncSession, *, caller: str, key: str, route: str, given: Mapping[str, Any], secret: bytes
) -> Stored | None:
    """Open a key: None for the first request, the stored answer for a repeat.

    `given` is the decoded body; its values are kept as HMACs under `secret` (32 bytes), never themselves.
    Raises IdempotencyConflict or IdempotencyInFlight.
    """
    told = {name: sealed.digest(secret, msgspec.json.encode(value).decode()).hex() for name, value in given.items()}
    await session.execute(text(f"set local lock_timeout = '{_WAIT}'"))
    opened = insert(idempotency).values(caller=caller, key=key, route=route, input=told, created_at=clock.wall())
    try:
        first = await session.execute(opened.on_conflict_do_nothing().returning(idempotency.c.key))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_TIMEOUT:
            detail = "Wait for the first request to end, then repeat this one."
            raise IdempotencyInFlight(detail) from error
        raise
    await session.execute(text("set local lock_timeout = 0"))
    if first.one_or_none() is not None:
        return None
    row = (
        await session.execute(select(idempotency).where(idempotency.c.caller == caller, idempotency.c.key == key))
    ).one()
    _same(row.route, row.input, route, told)
    return Stored(row.status, row.body)


def _same(route: str, before: Mapping[str, str], now_route: str, now: Mapping[str, str]) -> None:
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if route != now_route:
        changed = ["(route)", *changed]
    if changed:
        detail = f"Differs from the first request in: {', '.join(changed)}. Use a new key for a new request."
        raise IdempotencyConflict(
            detail, errors=[FieldError(f"/{name}", "differs", "Send the first value or a new key.") for name in changed]
        )


async def keep(session: AsyncSession, *, caller: str, key: str, stored: Stored) -> None:
    """Keep the first answer, in the transaction of its effect."""
    await session.execute(
        update(idempotency)
        .where(idempotency.c.caller == caller, idempotency.c.key == key)
        .values(status=stored.status, body=stored.body)
    )

"""`GET /v1/partner/events`: everything that the partner was ever told, in order. The list is the truth.

Webhooks only say that it grew: a receiver that missed one, or heard one twice, is put right by reading on from where it
was. Nothing is ever skipped: an event shows once nothing can come in before it any more. An object's events come in the
order of its `seq`.
"""

from datetime import datetime
from typing import Any

import msgspec
from litestar import get
from litestar.params import FromQuery

from api import guards
from api.deps import HttpRequest
from api.partner import desk
from core import ids
from core.errors import FieldError, Invalid
from incentives.events.outlet import Event

SCOPE = "orders:write"
_PAGE = 100
_MOST = 500


class Told(msgspec.Struct, frozen=True):
    """One event. `object` is what changed, `seq` counts its changes; `data` is what a webhook's message holds."""

    id: str
    type: str
    timestamp: datetime
    object: str
    seq: int
    data: dict[str, Any]


class Events(msgspec.Struct, frozen=True):
    """Events, oldest first. Keep `next_cursor` and ask again with it; it is null only before the first event."""

    events: list[Told]
    next_cursor: str | None
    more: bool


@get(
    "/v1/partner/events",
    guards=[guards.client("partner", SCOPE)],
    summary="What happened, in order",
    tags=["partner"],
)
async def listed(request: HttpRequest, limit: FromQuery[int] = _PAGE, cursor: FromQuery[str | None] = None) -> Events:
    """Events after `cursor`, the id of the last one seen; they are kept for 45 days."""
    here, caller = await desk.outlet(request), await guards.provide_client(request)
    after = ids.read("ev", cursor) if cursor else None
    found = await here.events(caller.jti_hash, after=after, most=must_be_page(limit) + 1)
    page = [_told(one) for one in found[:limit]]
    return Events(page, page[-1].id if page else cursor, len(found) > limit)


def must_be_page(limit: int) -> int:
    """A page's size. Raises Invalid."""
    if not 1 <= limit <= _MOST:
        raise Invalid(errors=[FieldError("/limit", "out_of_range", f"Use 1 to {_MOST}.")])
    return limit


def _told(one: Event) -> Told:
    data = msgspec.json.decode(one.data, type=dict[str, Any])
    return Told(ids.show("ev", one.id), one.type, one.at, one.object, one.seq, data)


handlers = [listed]

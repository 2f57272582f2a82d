"""`GET /v1/me/events`: who looks, as it happens (Server-Sent Events, WHATWG HTML section 9.2).

Each event is an entry of `GET /v1/me/accesses`. The stream looks every second or so, each time in a transaction of its
own, and ends by itself after `seconds`; a browser's EventSource then comes again with Last-Event-ID and goes on from
there. So nothing is held between two looks, and who was logged out hears nothing more: the row policies find nobody by
an ended proof. Does not promise every entry (one that commits later than a newer one can be missed across two
connections): the list holds them all.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncGenerator

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery
from litestar.response import Stream
from msgspec import UNSET, UnsetType

from api import guards
from api.citizen.door import behind
from api.citizen.me import Access, show
from api.deps import House, HttpRequest
from auth import clients
from core import audit, clock, ids
from core.errors import FieldError, Invalid, TooMany

LONGEST = 25
MOST_STREAMS = 4
_PAUSE = 1.0
_NEWEST = 20
_RETRY_MS = 2000
_SSE = "text/event-stream"
_open: Counter[uuid.UUID] = Counter()  # of this process


class Heard(msgspec.Struct, frozen=True):
    """One event: `ready`, whose data is `{}`, or `access`, whose data is an entry of `/v1/me/accesses` as JSON."""

    event: str
    id: str
    data: str
    retry: int | UnsetType = UNSET


@get(
    "/v1/me/events",
    media_type=_SSE,
    summary="Who looks, as it happens",
    tags=["citizen"],
    responses={200: ResponseSpec(Heard, media_type=_SSE, description="Events", generate_examples=False)},
)
async def events(
    request: HttpRequest,
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
    seconds: FromQuery[int] = 0,
) -> Stream:
    """Entries newer than `Last-Event-ID`, or than now, for so many seconds (at most 25; 0: what there is, and close).

    The first event is `ready`, with the id to go on from. At most 4 streams of one citizen at a time.
    """
    if not 0 <= seconds <= LONGEST:
        raise Invalid(errors=[FieldError("/seconds", "out_of_range", f"Use 0 to {LONGEST}.")])
    if _open[caller.id] >= MOST_STREAMS:
        raise TooMany("Close another stream first.", retry_after=LONGEST)
    last = request.headers.get("last-event-id")
    since = ids.read("ac", last) if last else None
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(_counted(house, caller, since, seconds), media_type=_SSE, headers=headers)


async def _counted(
    house: House, caller: guards.Citizen, since: uuid.UUID | None, seconds: int
) -> AsyncGenerator[bytes, None]:
    _open[caller.id] += 1
    try:
        async for said in _told(house, caller, since, seconds):
            yield said
    finally:
        _open[caller.id] -= 1
        if not _open[caller.id]:
            del _open[caller.id]


async def _told(
    house: House, caller: guards.Citizen, since: uuid.UUID | None, seconds: int
) -> AsyncGenerator[bytes, None]:
    """`ready`, then what is new at each look; a comment where nothing is, so that a dead line is noticed."""
    seen, _ = await _look(house, caller, set())
    if since is not None:
        seen = {one for one in seen if one <= since}
    start = since or max(seen, default=uuid.UUID(int=0))
    yield _event("ready", ids.show("ac", start), b"{}", retry=_RETRY_MS)
    end = clock.wall().timestamp() + seconds
    while True:
        known, new = await _look(house, caller, seen)
        for one in new:
            yield _event("access", one.id, msgspec.json.encode(one))
        seen |= known
        if clock.wall().timestamp() + _PAUSE > end:
            return
        yield b": \n\n"
        await asyncio.sleep(_PAUSE)


async def _look(house: House, caller: guards.Citizen, seen: set[uuid.UUID]) -> tuple[set[uuid.UUID], list[Access]]:
    """The newest entries' ids, and those not `seen`, oldest first."""
    async with house.doors.work("citizen", proof=caller.proof, behalf=caller.behalf) as session:
        newest = await audit.about(session, owner=caller.id, limit=_NEWEST)
        new = [one for one in reversed(newest) if one.id not in seen]
        names = await clients.names(session, {one.actor.id for one in new}) if new else {}
    return {one.id for one in newest}, [show(one, names) for one in new]


def _event(name: str, identity: str, data: bytes, *, retry: int = 0) -> bytes:
    again = f"retry: {retry}\n" if retry else ""
    return f"event: {name}\nid: {identity}\n{again}data: ".encode() + data + b"\n\n"


handlers = [behind([events])]

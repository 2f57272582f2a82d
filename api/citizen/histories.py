"""`GET /v1/me/histories`: which sources were asked for what they held when the citizen joined, and what came of it."""

import msgspec
from litestar import get
from litestar.di import NamedDependency
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.door import behind
from auth import clients
from scoring.feeds import pulls
from scoring.feeds.pulls import Asked


class Histories(msgspec.Struct, frozen=True):
    """One entry a source that answers such questions."""

    histories: list[Asked]


@get("/v1/me/histories", summary="Which sources were asked about me", tags=["citizen"])
async def see(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]) -> Histories:
    """`waiting` until a source answers, then `received` or `nothing`; `failed` when it did not for a day."""
    found = await pulls.of(session, citizen_id=caller.id)
    names = await clients.names(session, {one.source for one in found})
    return Histories([msgspec.structs.replace(one, source=names.get(one.source, one.source)) for one in found])


handlers = [behind([see])]

"""`GET /v1/source/subjects`: whose records a source may send. Nothing but digests it knows already."""

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.deps import House
from api.source import door
from scoring import sources
from scoring.sources import Feed


@get("/v1/source/subjects", summary="Who takes part", tags=["source"])
async def subjects(
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
    since: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=sources.PAGE)] = sources.PAGE,
) -> Feed:
    """The people whose consent names the caller and those who left, from `since` on, oldest change first."""
    return await sources.subjects(session, house.ring, source=caller.client_id, since=since, limit=limit)


handlers = [door.behind([subjects])]

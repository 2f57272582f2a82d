"""`GET /v1/citycard/gtfs`: the operator's transit discounts in force, as a GTFS feed with Fares v2."""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from api import guards
from api.citycard import door
from api.deps import House
from auth import clients
from core import clock
from incentives import rulebook
from incentives.rides import gtfs
from incentives.rides.gtfs import Publisher

_ZIP = "application/zip"


@get(
    "/v1/citycard/gtfs",
    responses={200: ResponseSpec(bytes, description="A ZIP file of GTFS", generate_examples=False, media_type=_ZIP)},
    summary="Transit discounts as GTFS-Fares v2",
    tags=["citycard"],
)
async def feed(house: NamedDependency[House], caller: NamedDependency[guards.Client]) -> Response[Any]:
    """Rider categories and fare products, for your own feed; nothing of it depends on a person."""
    day = clock.today()
    async with house.doors.work("citizen") as session:
        known = await rulebook.in_force(session, on=day)
        names = await clients.names(session, [caller.client_id])
    by = Publisher(names[caller.client_id], house.settings.base_url)
    held = [one.perk for one in known if one.perk.id in caller.perks]
    headers = {"Content-Disposition": f'attachment; filename="gtfs-{day}.zip"'}
    return Response(gtfs.feed(held, by, day=day), media_type=_ZIP, headers=headers)


handlers = [door.behind([feed])]

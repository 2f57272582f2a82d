"""`GET /status-lists/{id}`: which copies of credentials count no more (Token Status List, sections 8 and 11).

Public, and the same for everybody. Promises: whoever asks gets what holds now (a copy that somebody kept must be asked
about before it is used, `no-cache`; with its tag that costs a few bytes); for how long a host may keep what it has, the
list says itself (`ttl`, and `exp` without a line).
"""

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from api.deps import House, HttpRequest
from api.wallet import config
from core import ids
from incentives.credentials import lists

_TYPE = "application/statuslist+jwt"


@get(
    "/status-lists/{list_id:str}",
    summary="A status list",
    media_type=_TYPE,
)
async def see(request: HttpRequest, list_id: FromPath[str], house: NamedDependency[House]) -> Response[Any]:
    """A signed list of two bits a copy: 0 counts, 1 does not."""
    made = await config.press(house).newest(house.doors, ids.read("sl", list_id))
    headers = {"ETag": f'"{made.tag}"', "Cache-Control": "public, no-cache", "Access-Control-Allow-Origin": "*"}
    if made.tag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(made.token.encode(), media_type=_TYPE, headers=headers)


@get("/status-lists", summary="All status lists of this city")
async def every(house: NamedDependency[House]) -> Response[dict[str, list[str]]]:
    """Where they are (Token Status List, section 9): for a gate that fetches all in the morning."""
    press = config.press(house)
    said = {"status_lists": [press.uri(one) for one in await lists.known(house.doors)]}
    return Response(said, headers={"Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*"})


handlers = [see, every]

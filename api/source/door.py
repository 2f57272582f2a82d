"""The source's door: callers with `records:write`, and the bytes of their bodies.

A push spans several transactions on two doors, so its handler opens them itself; everything else gets one work session
of the scorer's role.
"""

from collections.abc import AsyncIterator, Sequence

from litestar import Router
from litestar.di import Provide
from litestar.exceptions import InternalServerException
from litestar.types import ControllerRouterHandler

from api import deps, guards
from api.deps import House, HttpRequest
from api.guards import Client
from api.problems import UnsupportedMediaType
from auth import digestkeys
from core import ndjson
from core.errors import Forbidden, Malformed
from scoring.feeds import csvfile
from scoring.feeds.forms import Form
from scoring.ingest import MOST_BYTES, Source

NDJSON, CSV, PARQUET = "application/x-ndjson", "text/csv", "application/vnd.apache.parquet"
_FORMS: dict[str, Form] = {NDJSON: "ndjson", CSV: "csv", PARQUET: "parquet"}


class NoDigestKey(Forbidden):
    """The source was registered without a key for ID digests, so nobody can be found."""

    code = "no_digest_key"
    title = "This source has no digest key"


def behind(handlers: Sequence[ControllerRouterHandler]) -> Router:
    """The handlers, open to source bureaus, with `session` and `caller` given."""
    return Router(
        path="/",
        route_handlers=handlers,
        guards=[guards.client("source", "records:write")],
        dependencies={"session": Provide(deps.work("scorer")), "caller": Provide(guards.provide_client)},
    )


async def source_of(house: House, caller: Client) -> Source:
    """The caller as a source that pushes. Raises NoDigestKey."""
    async with house.doors.work("scorer") as session:
        keys = await digestkeys.of(session, house.ring, [caller.client_id])
    if caller.client_id not in keys:
        raise NoDigestKey("Ask the city to register one: `osmanthus client add` makes it.")
    return Source(caller.client_id, caller.kinds, keys[caller.client_id])


def form(request: HttpRequest) -> tuple[Form, str]:
    """The form of a push, and the charset that it names ("" for none). Raises UnsupportedMediaType."""
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    found = _FORMS.get(kind.strip())
    if found is None:
        wanted = "application/x-ndjson, text/csv or application/vnd.apache.parquet"
        detail = f"Send Content-Type: {wanted}."
        raise UnsupportedMediaType(detail)
    named = next((each for each in parameters.split(";") if each.strip().startswith("charset=")), "")
    charset = csvfile.CHARSETS.get(named.partition("=")[2].strip(' "'))
    if charset is None:
        raise UnsupportedMediaType("The charset may be utf-8 or gb18030.")
    return found, charset


def body(request: HttpRequest) -> AsyncIterator[bytes]:
    """The bytes of a push, inflated as they come. Raises UnsupportedMediaType, TooLarge, Malformed."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise UnsupportedMediaType("Content-Encoding may be gzip or absent.")
    chunks = ndjson.bounded(_wire(request), limit=MOST_BYTES)
    return chunks if encoding == "identity" else ndjson.inflate(chunks)


async def _wire(request: HttpRequest) -> AsyncIterator[bytes]:
    """The bytes as they come; a caller who hangs up half-way has sent nothing."""
    try:
        async for chunk in request.stream():
            yield chunk
    except InternalServerException as error:
        raise Malformed("The body ended early; nothing of it was kept. Send it again.") from error

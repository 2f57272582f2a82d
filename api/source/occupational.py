"""`/v1/source/occupational`: records for occupational reports. The lines, codes and answers of `/v1/source/records`.

A class of its own: only about people whose consent `occupational-report` names the caller, never counted into points.
"""

import re
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody, QueryParameter

from api import guards
from api.deps import House, HttpRequest
from api.source import door
from api.source.records import Ending, Push, Taken
from core.errors import FieldError
from scoring.ingest import Receipt
from scoring.reports import careerfeed
from scoring.reports.careerfeed import Caller
from scoring.sources import PAGE, BadCursor

_HEX = re.compile(r"[0-9a-f]{64}")


class People(msgspec.Struct, frozen=True):
    """A page of digests (hex) of those who consent now; send the last as `after` for the next page."""

    subjects: list[str]
    more: bool


@post(
    "/v1/source/occupational",
    status_code=200,
    summary="Push occupational records",
    tags=["source"],
    request_max_body_size=None,
    operation_class=Push,
)
async def push(request: HttpRequest, house: NamedDependency[House], caller: NamedDependency[guards.Client]) -> Receipt:
    """Take a push of kinds O01 to O05; every line is judged by itself, and the answer tells nothing about anybody."""
    body = door.body(request)
    source = await door.source_of(house, caller)
    return await careerfeed.receive(house.doors, caller=Caller(source, caller.jti_hash), body=body)


@post("/v1/source/occupational/revoke", status_code=202, summary="Revoke an occupational record", tags=["source"])
async def revoke(
    data: JSONBody[Ending], house: NamedDependency[House], caller: NamedDependency[guards.Client]
) -> Response[Taken]:
    """Take a record back; what it said is gone before the answer, which is always the same."""
    async with house.doors.work("source") as session:
        await careerfeed.revoke(session, token=caller.jti_hash, ref=data.ref, version=data.version)
    return Response(Taken(), status_code=202)


@get("/v1/source/occupational/subjects", summary="Who consents to occupational reports", tags=["source"])
async def subjects(
    house: NamedDependency[House],
    caller: NamedDependency[guards.Client],
    after: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE)] = PAGE,
) -> People:
    """Everybody about whom the caller may send now; who is not on the list any more has left."""
    start = _digest(after)
    async with house.doors.work("source") as session:
        found = await careerfeed.subjects(session, token=caller.jti_hash, after=start, limit=limit + 1)
    return People([one.hex() for one in found[:limit]], len(found) > limit)


def _digest(text: str | None) -> bytes:
    """The digest to go on from. Raises BadCursor."""
    if text is not None and not _HEX.fullmatch(text):
        advice = "Send the last digest of the page before, or nothing to begin anew."
        raise BadCursor(errors=[FieldError("/after", "bad_cursor", advice)])
    return bytes.fromhex(text or "")


handlers = [door.behind([push, revoke, subjects])]

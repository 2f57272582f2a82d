"""`POST /v1/staff/repairs/import`: repair decisions that authorities or 信用中国 took, handed in on paper.

The effect is that of `/v1/source/records/repair`. Each line is judged by itself; the answer tells nothing about whether
a ref is known, and sending the same again changes nothing, so it needs no Idempotency-Key.
"""

import csv
import io
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from api import guards
from api.deps import House, HttpRequest
from api.problems import UnsupportedMediaType
from core import clock
from core.errors import Malformed, TooLarge
from scoring import rulebook
from scoring.rights import decisions
from scoring.rights.decisions import Receipt

_MOST_LINES = 1_000
_LARGEST = 1_000_000
_NDJSON = "application/x-ndjson"


@dataclass
class _Decisions(Operation):
    """The body of a hand-in, which no type describes."""

    def __post_init__(self) -> None:
        """One string of lines, in either form."""
        lines = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        self.request_body = RequestBody(
            content={_NDJSON: lines, "text/csv": lines}, required=True, description="One decision a line."
        )


@post(
    "/v1/staff/repairs/import", status_code=200, summary="Hand in repair decisions", tags=["staff"],
    operation_class=_Decisions, request_max_body_size=_LARGEST,
)  # fmt: skip
async def hand_in(
    request: HttpRequest, house: NamedDependency[House], caller: NamedDependency[guards.Client]
) -> Receipt:
    """Take repair decisions of authorities on paper: NDJSON, or CSV with a header, of at most 1,000 lines.

    `source ref decision_no authority decided_on [version]`. The same answer for every ref; repeating changes nothing.
    """
    lines = _lines(request.headers.get("content-type", ""), await request.body())
    today = clock.today()
    async with house.doors.work("scorer") as session:
        book = await rulebook.current(session, on=today)
        return await decisions.hand_in(session, house.ring, lines=lines, by=caller.client_id, book=book, as_of=today)


def _lines(kind: str, body: bytes) -> list[dict[str, Any]]:
    """The lines of a body. Raises UnsupportedMediaType, Malformed, TooLarge."""
    kind = kind.partition(";")[0].strip().lower()
    if kind not in {"text/csv", _NDJSON}:
        raise UnsupportedMediaType("Send Content-Type: text/csv or application/x-ndjson.")
    try:
        text = body.decode("utf-8-sig")
        found: list[dict[str, Any]] = (
            [dict(row) for row in csv.DictReader(io.StringIO(text), restkey="more")]
            if kind == "text/csv"
            else [msgspec.json.decode(line, type=dict[str, Any]) for line in text.splitlines() if line.strip()]
        )
    except (UnicodeDecodeError, csv.Error, msgspec.DecodeError) as error:
        detail = "The body is not UTF-8 text of that type; nothing of it was taken."
        raise Malformed(detail) from error
    if len(found) > _MOST_LINES:
        detail = f"At most {_MOST_LINES} lines. Nothing was taken; send them in parts."
        raise TooLarge(detail)
    return found


handlers = [
    Router(
        path="/",
        route_handlers=[hand_in],
        guards=[guards.client("staff", "staff:repairs")],
        dependencies={"caller": Provide(guards.provide_client)},
    )
]

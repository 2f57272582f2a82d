"""`POST /v1/citycard/rides`: what gates gave away, uploaded when the line is back.

Sent again by sending it again: (operator, ride) makes that harmless, so an Idempotency-Key is not needed.
"""

from dataclasses import dataclass

from litestar import post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from api import guards
from api.citycard import door
from api.deps import House, HttpRequest
from api.problems import UnsupportedMediaType
from api.public import creditcodes
from api.source.door import NDJSON, body
from incentives.citycard.entrance import Entrance
from incentives.eligibility import TokenDead
from incentives.rides import receive
from incentives.rides.receive import Operator, Receipt


@dataclass
class Upload(Operation):
    """The body of an upload, which no type describes."""

    def __post_init__(self) -> None:
        """One string of lines."""
        self.request_body = RequestBody(
            content={NDJSON: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))},
            required=True,
            description="One ride a line, `{ride, index or code, perk, at, gate, fare, discount?, line?}`, at most "
            f"{receive.MOST_LINES:,} lines of at most {receive.LONGEST_LINE} bytes; gzip allowed.",
        )


@post(
    "/v1/citycard/rides",
    status_code=200,
    summary="Upload rides with a discount",
    tags=["citycard"],
    request_max_body_size=None,
    operation_class=Upload,
)
async def upload(
    request: HttpRequest,
    house: NamedDependency[House],
    entrance: NamedDependency[Entrance],
    caller: NamedDependency[guards.Client],
) -> Receipt:
    """Take an upload; each ride counts once, whenever and however often it comes.

    The answer depends on the lines alone. What they came to stands in the statement of the finished day. What was read
    before an upload broke off is settled already; send it again.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != NDJSON:
        detail = f"Send Content-Type: {NDJSON}."
        raise UnsupportedMediaType(detail)
    by = Operator(caller.client_id, caller.jti_hash, caller.perks, house.ring.derive("rides"))
    try:
        return await receive.receive(entrance, creditcodes.mint(house), by=by, body=body(request))
    except TokenDead as dead:
        raise guards.invalid_token() from dead


handlers = [door.behind([upload])]

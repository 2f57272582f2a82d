"""`/v1/citycard/cards`: an operator's stock of cards, and cards that were lost or replaced.

Numbers are accepted here, in bodies, and kept as keyed digests. Every answer is the same whether a number is bound or
not, whether its holder takes part or not, and whether a number that is lost was ever known.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.params import JSONBody

from api import guards
from api.citycard import door
from api.deps import House, HttpRequest
from api.problems import UnsupportedMediaType
from api.source import door as wire
from api.staff.holder import CardNo
from auth.counter import cards
from core import ndjson
from core.errors import FieldError, Invalid, TooLarge
from incentives.citycard import stock
from incentives.citycard.entrance import Entrance

_LONGEST_LINE = 256
_JSON = "application/json"  # one card is a line like any other


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One card of the operator's."""

    card_no: CardNo


class Indexes(msgspec.Struct, frozen=True):
    """The index of each card in the operator's lists, in the order of the lines."""

    indexes: list[int]


class Lost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number that is lost, stolen or out of use."""

    card_no: CardNo


class Replaced(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`new_card_no` takes the place of `card_no`."""

    card_no: CardNo
    new_card_no: CardNo


class Taken(msgspec.Struct, frozen=True):
    """The report was well-formed; it says nothing about whether the number is known."""

    status: str = "accepted"


class Place(msgspec.Struct, frozen=True):
    """The new card's index in the operator's lists."""

    index: int


@dataclass
class Stock(Operation):
    """The body of a stock, which no type describes."""

    def __post_init__(self) -> None:
        """One string of lines."""
        lines = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING))
        told = f'One `{{"card_no": "…"}}` a line, at most {stock.MOST:,} lines; gzip allowed. Send a stock in pieces.'
        self.request_body = RequestBody(content={wire.NDJSON: lines}, required=True, description=told)


@post(
    "/v1/citycard/cards", status_code=200, summary="Register cards", tags=["citycard"], request_max_body_size=None,
    operation_class=Stock,
)  # fmt: skip
async def issue(
    request: HttpRequest,
    house: NamedDependency[House],
    entrance: NamedDependency[Entrance],
    caller: NamedDependency[guards.Client],
) -> Indexes:
    """The index of each number, at random and for good; a number that was sent before has the one that it had."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in {wire.NDJSON, _JSON}:
        detail = f"Send Content-Type: {wire.NDJSON}, or {_JSON} with one line."
        raise UnsupportedMediaType(detail)
    numbers = await _numbers(wire.body(request))
    digests = [cards.digest(house.ring, number) for number in numbers]
    return Indexes(await stock.issue(entrance, token=caller.jti_hash, digests=digests))


@post("/v1/citycard/cards/lost", status_code=202, summary="Report a card lost", tags=["citycard"])
async def lose(
    data: JSONBody[Lost],
    house: NamedDependency[House],
    entrance: NamedDependency[Entrance],
    caller: NamedDependency[guards.Client],
) -> Taken:
    """The number is 0 in every list of yours from the next fetch on, and opens no counter. For good: issue another."""
    await stock.lose(entrance, token=caller.jti_hash, digest=cards.digest(house.ring, data.card_no))
    return Taken()


@post("/v1/citycard/cards/replace", status_code=200, summary="Replace a card", tags=["citycard"])
async def replace(
    data: JSONBody[Replaced],
    house: NamedDependency[House],
    entrance: NamedDependency[Entrance],
    caller: NamedDependency[guards.Client],
) -> Place:
    """The old number is lost for good; whoever it is bound to, if anybody, goes on with the new one and their PIN."""
    if data.card_no == data.new_card_no:
        raise Invalid(errors=[FieldError("/new_card_no", "same_number", "Give another number than the old one.")])
    new = cards.digest(house.ring, data.new_card_no)
    old, kept = cards.digest(house.ring, data.card_no), cards.sealed_replacement(house.ring, data.new_card_no)
    return Place(await stock.replace(entrance, token=caller.jti_hash, old=old, new=new, sealed_number=kept))


async def _numbers(body: AsyncIterator[bytes]) -> list[str]:
    """The numbers of a stock. Raises Invalid naming every line that is none, TooLarge."""
    numbers: list[str] = []
    faults: list[FieldError] = []
    at = 0
    async for line in ndjson.lines(body, longest=_LONGEST_LINE):
        if line == b"":
            continue
        at += 1
        if at > stock.MOST:
            detail = f"At most {stock.MOST} lines; nothing of this request was kept. Send the rest in further ones."
            raise TooLarge(detail)
        try:
            numbers.append(msgspec.json.decode(line or b"", type=Line).card_no)
        except msgspec.MsgspecError:
            faults.append(FieldError(f"/{at - 1}", "bad_line", 'One {"card_no": "8 to 19 digits"} a line.'))
    if faults:
        raise Invalid("Nothing was kept.", errors=faults[:100])
    return numbers


handlers = [door.behind([issue, lose, replace])]

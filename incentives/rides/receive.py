"""An operator's upload of rides: lines in, each settled once, a receipt out.

Promises: memory does not grow with the upload; a ride counts once however often, in whatever order and by whichever
gate it comes; what was read before an upload broke off is settled, and sending it again is harmless. The receipt says
which lines could not be taken, and nothing about a card or a person: what a ride came to stands, summed up, in the
statement of a finished day. Does not promise that the sums of two operators do not meet in a perk's budget.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from typing import cast

import msgspec
from msgspec import UNSET

from core import clock, ids, ndjson
from core.errors import TooLarge
from incentives import codes
from incentives.citycard.entrance import Entrance
from incentives.codes import Mint
from incentives.creditcode import Claims
from incentives.rides.lines import Judge, Rejected, Ride, fingerprint, key

MOST_LINES = 100_000
LONGEST_LINE = 4 * 1024
MOST_BYTES = 64 * 1024 * 1024
PIECE = 2_000
_BREATH = 200  # lines between two turns of the event loop
_SETTLE = "select * from incentives.settle_rides($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
_WHY = {
    "code_not_for_you": "The code is for another perk or another partner.",
    "ride_differs": "This ride was told before, in other words. Give each ride a number of its own.",
}


class TooManyRides(TooLarge):
    """An upload holds at most MOST_LINES lines."""

    code = "too_many_lines"
    title = "Too many lines"


class Operator(msgspec.Struct, frozen=True):
    """Who uploads: the client, the hash of its live token, its perks, and the key of the digests that rides leave."""

    client_id: str
    token: bytes
    perks: Collection[str]
    secret: bytes


class Receipt(msgspec.Struct, frozen=True):
    """What became of an upload: `accepted` lines were rides, whatever they come to, the first time or not."""

    batch_id: str
    received: int
    accepted: int
    rejected: tuple[Rejected, ...]


class _Line(msgspec.Struct, frozen=True):
    number: int
    ride: Ride
    claims: Claims | None = None


async def receive(entrance: Entrance, mint: Mint, *, by: Operator, body: AsyncIterator[bytes]) -> Receipt:
    """Take an upload of NDJSON bytes (already inflated). Each piece is one call at the entrance.

    Raises TokenDead, TooManyRides, TooLarge, Malformed, and whatever `body` raises when it is cut off.
    """
    upload = _Upload(entrance, mint, by)
    await upload.read(ndjson.bounded(body, limit=MOST_BYTES))
    rejected = sorted(upload.rejected, key=lambda one: one.line)
    return Receipt(ids.show("rb", ids.random()), upload.received, upload.received - len(rejected), tuple(rejected))


class _Upload:
    """The lines of one upload as they come; holds one piece at a time, and what was rejected."""

    def __init__(self, entrance: Entrance, mint: Mint, by: Operator) -> None:
        self._ask, self._mint, self._by = entrance.ask, mint, by
        self._judge = Judge(by.perks, clock.wall())
        self._waiting: list[_Line] = []
        self.received = 0
        self.rejected: list[Rejected] = []

    async def read(self, body: AsyncIterator[bytes]) -> None:
        """Settle piece by piece, to the end."""
        number = 0
        async for raw in ndjson.lines(body, longest=LONGEST_LINE):
            number += 1
            if raw == b"":
                continue
            self.received += 1
            if self.received > MOST_LINES:
                await self._settle()
                detail = f"At most {MOST_LINES} lines an upload. Those were taken; send the others in further ones."
                raise TooManyRides(detail)
            self._take(number, raw)
            if len(self._waiting) >= PIECE:
                await self._settle()
            elif number % _BREATH == 0:
                await asyncio.sleep(0)
        await self._settle()

    def _take(self, number: int, raw: bytes | None) -> None:
        read = self._judge.read(number, raw)
        if isinstance(read, Rejected):
            self.rejected.append(read)
        else:
            self._waiting.append(_Line(number, read))

    async def _settle(self) -> None:
        """One call for the piece at hand, in a transaction of its own."""
        if not (piece := await asyncio.to_thread(self._checked, self._waiting)):
            self._waiting = []
            return
        rows = await self._ask(_SETTLE, self._by.token, *_columns(self._by, piece))
        for place, refusal in cast("list[tuple[int | None, str]]", rows):
            if place is not None:
                line = piece[place - 1]
                self.rejected.append(Rejected(line.number, line.ride.ride, refusal, _WHY[refusal]))
        self._waiting = []

    def _checked(self, lines: Sequence[_Line]) -> list[_Line]:
        """Those whose code, if they have one, is the city's and was fresh when it was shown."""
        return [checked for one in lines if (checked := self._with_claims(one)) is not None]

    def _with_claims(self, one: _Line) -> _Line | None:
        if one.ride.code is UNSET:
            return one
        if (claims := self._mint.shown(one.ride.code, at=one.ride.at)) is None:
            detail = "Not a credit code of this city that was fresh at that time."
            self.rejected.append(Rejected(one.number, one.ride.ride, "bad_code", detail))
            return None
        return _Line(one.number, one.ride, claims)


def _columns(by: Operator, piece: Sequence[_Line]) -> list[list[object]]:
    """The arguments of the statement, a list a column."""
    rows = [
        (
            key(by.secret, by.client_id, one.ride.ride),
            fingerprint(by.secret, one.ride),
            one.ride.ride,
            one.ride.perk,
            one.ride.at,
            one.ride.gate,
            one.ride.fare,
            None if one.ride.discount is UNSET else one.ride.discount,
            None if one.ride.index is UNSET else one.ride.index,
            None if one.ride.code is UNSET else codes.digest(one.ride.code),
            one.claims and one.claims.perk,
            one.claims and one.claims.audience,
        )
        for one in piece
    ]
    return [list(column) for column in zip(*rows, strict=True)]

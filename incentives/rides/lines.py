"""One line of a gate's usage: what it says, and why it cannot be taken.

Pure. A line is judged by itself: by its own members, the caller's perks and the clock, so a rejection tells nothing
about a card or a person. A ride names its holder by the random index of a card or by the credit code that was shown,
never by a number of the card.
"""

import hmac
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

MOST_FARE = 100_000_000
EARLY = timedelta(minutes=5)  # a gate's clock may be ahead by so much
OLDEST = timedelta(days=30)

Text = Annotated[str, Meta(min_length=1, max_length=64)]


class Ride(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A ride for which a gate took a discount off: `fare` is the published one, in fen, before the discount.

    `index`: of a card, in the operator's lists; or `code`: the text of a credit code. `discount`: what the gate
    took off, which may be less than published; by default it is that. `line` is not kept.
    """

    ride: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z._:-]+$")]
    perk: Text
    at: Annotated[datetime, Meta(tz=True)]
    gate: Text
    fare: Annotated[int, Meta(ge=0, le=MOST_FARE)]
    index: Annotated[int, Meta(ge=0, le=2**31 - 1)] | UnsetType = UNSET
    code: Annotated[str, Meta(min_length=1, max_length=160)] | UnsetType = UNSET
    discount: Annotated[int, Meta(ge=0, le=MOST_FARE)] | UnsetType = UNSET
    line: Text | UnsetType = UNSET


class Rejected(msgspec.Struct, frozen=True):
    """Why a line was not taken; `ride` is null when it could not be read."""

    line: int
    ride: str | None
    code: str
    detail: str


class Judge(msgspec.Struct, frozen=True):
    """What a line is judged by: the caller's perks, and now (wall clock, as gates have it)."""

    perks: Collection[str]
    now: datetime

    def read(self, number: int, raw: bytes | None) -> Ride | Rejected:
        """The ride on a line, or why it is none; None is a line that was too long."""
        if raw is None:
            return Rejected(number, None, "malformed", "The line is too long for a ride.")
        try:
            ride = _DECODER.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _unread(number, raw, str(error))
        if (fault := self._fault(ride)) is not None:
            return Rejected(number, ride.ride, *fault)
        return ride

    def _fault(self, ride: Ride) -> tuple[str, str] | None:
        if (ride.index is UNSET) == (ride.code is UNSET):
            return "malformed", "Name the holder once: by `index` or by `code`."
        if ride.perk not in self.perks:
            return "perk_unknown", "This perk is not yours."
        if ride.at > self.now + EARLY:
            return "future", "The ride is yet to come: set the gate's clock."
        if ride.at < self.now - OLDEST:
            return "too_old", f"Rides are taken for {OLDEST.days} days."
        return None


def fingerprint(secret: bytes, ride: Ride) -> int:
    """64 bits of what the ride says, signed, by HMAC-SHA-256: two uploads of it are the same when these are.

    Keyed, so that nobody finds out where somebody was by trying.
    """
    return int.from_bytes(hmac.digest(secret, msgspec.msgpack.encode(ride), "sha256")[:8], signed=True)


def key(secret: bytes, operator: str, ride: str) -> uuid.UUID:
    """What a ride is counted by: a keyed digest of operator and ride (UUIDv8, RFC 9562)."""
    value = int.from_bytes(hmac.digest(secret, f"{operator}\n{ride}".encode(), "sha256")[:16])
    return uuid.UUID(int=(value & ~(0xF << 76) & ~(0b11 << 62)) | (8 << 76) | (0b10 << 62))


class _Named(msgspec.Struct):
    """What of a line names it, whatever else is wrong."""

    ride: str | None = None


def _unread(number: int, raw: bytes, why: str) -> Rejected:
    """The refusal of a line that is no ride; its `ride` where that much can be read."""
    try:
        named = msgspec.json.decode(raw, type=_Named).ride
    except (msgspec.DecodeError, UnicodeDecodeError):
        named = None
    unknown = "unknown field" in why
    return Rejected(number, named, "unknown_field" if unknown else "malformed", f"{why}."[:200])


_DECODER = msgspec.json.Decoder(Ride)

"""Copies of a credential: claimed for a wallet's keys, written once and not kept, taken back by their places.

Promises: what a copy says is what the holder's standing says at that moment, and only while both consents live; no copy
is given twice, and of one token there are `MOST` at most. What is kept of a copy is its place, its consent, the highest
point that it says is reached, and until when; after that it is erased.
"""

import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

import msgspec
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from auth.consent import ledger
from core import clock
from incentives.credentials import lists
from incentives.credentials.keys import Keys
from incentives.credentials.lists import Press
from incentives.credentials.tables import credential_copy
from incentives.recognition import credential
from incentives.recognition.credential import Attested, Place

MOST = 20
_CLAIM = text(
    "select * from incentives.claim_copies(:token, :jkt, :copies, :most, :points, :until, :list, :room, :places)"
)
_FORGET = text("select incentives.forget_copies(:citizen, :purpose)")

Verdict = Literal["given", "ended", "too_many", "dead", "crowded"]


class Claimed(msgspec.Struct, frozen=True):
    """Places for copies, and what these may say; without `given` nothing is claimed.

    `dead`: no such token of this key; `ended`: a consent or the standing is gone; `too_many`: more than `MOST` of one
    token; `crowded`: the list has just been filled, so ask again.
    """

    verdict: Verdict
    day: date
    places: tuple[Place, ...] = ()
    reached: frozenset[int] = frozenset()
    city: str = ""


class Batch(msgspec.Struct, frozen=True):
    """Copies of one day for one city: how many were given, how many of them count, and until when."""

    city: str
    until: datetime
    given: int
    counting: int


async def claim(
    session: AsyncSession, press: Press, *, token: bytes, jkt: str, copies: int, points: Sequence[int]
) -> Claimed:
    """Claim a place for each of `copies` copies; `points` are those (whole) that a copy may say are reached."""
    day = clock.wall().astimezone(UTC).date()
    list_id = await lists.open_one(session)
    given = {
        "token": token, "jkt": jkt, "copies": copies, "most": MOST, "points": list(points), "until": _until(day),
        "list": list_id, "room": lists.ROOM, "places": press.candidates(list_id, copies),
    }  # fmt: skip
    row = (await session.execute(_CLAIM, given)).one()
    if row.verdict != "given":
        return Claimed(row.verdict, day)
    places = tuple(Place(press.uri(list_id), place) for place in row.places)
    return Claimed("given", day, places, frozenset(row.reached), row.city)


def write(
    keys: Keys, claimed: Claimed, *, issuer: str, city: str, scorecard: str, holders: Sequence[dict[str, str]]
) -> list[str]:
    """The copies of a claim, one for each key: `city` is the one that attests. Each has noise of its own."""
    signer = keys.seal(clock.wall()).credentials
    # The day of the claim, the same for everybody: the day of a standing would tell people apart.
    attested = Attested(claimed.reached, city, claimed.day, scorecard)
    return [
        credential.issue(
            signer,
            attested,
            issuer=issuer,
            holder=holder,
            day=claimed.day,
            place=place,
            noise=secrets.token_bytes(credential.PLACES * credential.NOISE),
        )
        for holder, place in zip(holders, claimed.places, strict=True)
    ]


async def mine(session: AsyncSession, *, citizen_id: uuid.UUID) -> list[Batch]:
    """The citizen's copies that are not over, by city and day."""
    purposes = {one.id: one.purpose for one in await ledger.of(session, citizen_id=citizen_id)}
    held = credential_copy.c
    counting = func.count().filter(held.ended_at.is_(None))
    query = select(held.consent_id, held.until, func.count().label("given"), counting.label("counting"))
    found: dict[tuple[str, datetime], tuple[int, int]] = {}
    for row in await session.execute(
        query.where(held.consent_id.in_(purposes), held.until > clock.wall()).group_by(held.consent_id, held.until)
    ):
        key = (purposes[row.consent_id].partition(":")[2], row.until)
        before = found.get(key, (0, 0))
        found[key] = (before[0] + row.given, before[1] + row.counting)
    return [Batch(city, until, *numbers) for (city, until), numbers in sorted(found.items())]


async def forget(session: AsyncSession, *, citizen_id: uuid.UUID, purpose: str) -> None:
    """End every copy that stands on a consent of the citizen to a purpose; nobody is behind them any more."""
    await session.execute(_FORGET, {"citizen": citizen_id, "purpose": purpose})


def _until(day: date) -> datetime:
    """The instant at which a credential of this day is over."""
    return datetime.combine(day + timedelta(days=credential.DAYS), time(), UTC)

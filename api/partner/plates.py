"""`GET /v1/partner/plates`: whom a car park may know by which plate, as digests under its key and pairwise subjects.

Whoever computed the digest of a car at the entrance looks it up here: a pair gives the subject for checks and orders;
no pair says nothing at all. Fetch often: what ended is told at the next fetch.
"""

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import QueryParameter

from api import guards
from api.deps import HttpRequest
from api.partner import desk
from core import ids
from incentives.eligibility import TokenDead
from incentives.plates import pairs

_PAGE = 1000


class Shown(msgspec.Struct, frozen=True):
    """A plate's digest (HMAC-SHA-256 under the caller's `digest_key`, hex) and whom it stands for at a perk."""

    digest: str
    subject: str
    perk: str


class Plates(msgspec.Struct, frozen=True):
    """What changed: `pairs` begin, `ended` are over, why is not said. Keep `seq`; ask again at once while `more`."""

    pairs: list[Shown]
    ended: list[Shown]
    seq: int
    more: bool


@get(
    "/v1/partner/plates",
    guards=[guards.client("partner", "eligibility:check")],
    summary="Plates by which holders may be known",
    tags=["partner"],
)
async def listed(
    request: HttpRequest,
    since: Annotated[int, QueryParameter(ge=0, le=2**53)] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=_PAGE)] = _PAGE,
) -> Plates:
    """Changes after `since`, the `seq` of the page before; every pair without it. 410 `since_gone` after 45 days."""
    here, caller = await desk.of(request), await guards.provide_client(request)
    try:
        page = await pairs.after(here.gate, token=caller.jti_hash, since=since, most=limit)
    except TokenDead as dead:
        raise guards.invalid_token() from dead
    begun = [_shown(one) for one in page.pairs if not one.over]
    return Plates(begun, [_shown(one) for one in page.pairs if one.over], page.seq, len(page.pairs) == limit)


def _shown(one: pairs.Pair) -> Shown:
    return Shown(one.digest.hex(), ids.show("su", one.subject), one.perk)


handlers = [listed]

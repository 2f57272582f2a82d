"""`GET /v1/citycard/entitlements`: the list by which a gate without a line decides, signed, whole or what changed.

A compact JWS (`core.signed`), typ `entitlement-list+jwt`, EdDSA, key `rcpt-1` of `/.well-known/jwks.json`. Its member
`status_list` is packed as the Token Status List is; bit `index` is 1 for a card whose holder has the perk. A delta has
`changed` instead, 1 where a bit turned over; `digest` is SHA-256 of the packed bits that a gate then has. Who names the
ETag of what they have gets 304 while nothing changed, for an hour at most: a list must not grow stale by that.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery

from api import deps, guards
from api.citycard import door, pace
from api.deps import House, HttpRequest
from api.public import published
from core import bitlist, clock
from core.signed import Signer
from incentives import receipts
from incentives.citycard import editions
from incentives.citycard.editions import Edition
from incentives.citycard.entrance import Entrance, Held
from incentives.rulebook import PerkNotOffered

TYPE = "entitlement-list+jwt"
MEDIA = "application/entitlement-list+jwt"
LIFE = timedelta(hours=26)  # a day, and two hours in which to fetch the next
_HOUR = 3600
_PERK = 64


@get(
    "/v1/citycard/entitlements",
    summary="Who may pass without a line",
    tags=["citycard"],
    responses={
        200: ResponseSpec(bytes, description="The list, signed", media_type=MEDIA, generate_examples=False),
        304: ResponseSpec(None, description="Nothing changed (If-None-Match)", generate_examples=False),
    },
)
async def see(
    request: HttpRequest,
    perk: FromQuery[str],
    house: NamedDependency[House],
    entrance: NamedDependency[Entrance],
    caller: NamedDependency[guards.Client],
    since: FromQuery[int | None] = None,
) -> Response[bytes | None]:
    """The list of one of the caller's perks as it is now, or what changed `since` an edition (410 `delta_gone`)."""
    headers = await pace.count(house.short, operator=caller.client_id, perk=perk[:_PERK])
    offered = next((one for one in await entrance.perks(token=caller.jti_hash) if one.perk.id == perk), None)
    if offered is None:
        raise PerkNotOffered("GET /v1/citycard/perks lists yours.")
    pool = await deps.house(request).doors.pool("citycard")
    key = house.ring.derive("entitlement-decoys")
    made = await editions.newest(pool, key, token=caller.jti_hash, perk=perk, since=since)
    payload = _payload(house, offered, made, since)
    headers |= {"Cache-Control": "private, no-cache", "ETag": tag(payload)}
    if published.holds(request, headers["ETag"]):
        return Response(None, status_code=304, headers=headers)
    signer = Signer(house.ring.ed25519(receipts.KID), TYPE)
    return Response(signer.sign(payload).encode(), media_type=MEDIA, headers=headers)


def _payload(house: House, offered: Held, made: Edition, since: int | None) -> dict[str, Any]:
    issuer, now = house.settings.base_url, int(clock.wall().timestamp())
    told = {"status_list": bitlist.encode(made.held)}
    if made.changed is not None:
        told = {"since": since, "changed": bitlist.encode(made.changed)}
    return {
        "iss": issuer, "aud": made.operator, "iat": now, "exp": now + int(LIFE.total_seconds()),
        "perk": made.perk, "worth": offered.worth(), "seq": made.seq, "size": len(made.held),
        "digest": hashlib.sha256(made.held.packed).hexdigest(), "codes": f"{issuer}/v1/rules/credit-codes", **told,
    }  # fmt: skip


def tag(payload: Mapping[str, Any]) -> str:
    """A weak ETag (RFC 9110, section 8.8.3): of what a list says, and of the hour in which it says so."""
    names = ("perk", "worth", "seq", "since", "digest")
    said = "|".join([*(str(payload.get(name)) for name in names), str(payload["iat"] // _HOUR)])
    return f'W/"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


handlers = [door.behind([see])]

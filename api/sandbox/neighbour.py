"""示范邻市 990100: a made-up city beside a sandbox, so that a visitor can be played from outside.

Its issuer is below our own address and its key is derived from ours, which no real city would do. It attests for
whoever is given a copy with its key; one copy of each lot was taken back, and its status list says so.
"""

import secrets
from datetime import UTC, date
from typing import Any

from joserfc.jwk import ECKey
from litestar import Response, get

from api import deps
from api.deps import House, HttpRequest
from core import bitlist, clock
from core.signed import Signer
from incentives.recognition import credential, statuslist
from incentives.recognition.credential import Attested, Place
from incentives.recognition.trust import About, Entry, Keys

CODE, NAME = "990100", "示范邻市"
PLACES = 4096
_REVOKED = 16  # every so many places one was taken back
_KID = "neighbour-1"
_PATH = "/neighbour"
_MEDIA_TYPE = f"application/{statuslist.TYPE}"
_REACHED = frozenset({110, 120})


def issuer(house: House) -> str:
    """Where it issues."""
    return f"{house.settings.base_url}{_PATH}"


def entry(house: House) -> Entry:
    """It, on a trust list."""
    key = dict(house.ring.es256(_KID).as_dict(private=False))
    about = About(CODE, NAME, credential.VCT, "1", (f"{issuer(house)}/status-lists",))
    return Entry(issuer(house), Keys((key,)), about)


def copies(house: House, *, number: int) -> list[dict[str, Any]]:
    """A lot of copies for one holder, each with its private key: `{sd_jwt, jwk, note}`; the last was taken back."""
    today = clock.wall().astimezone(UTC).date()
    good = [place for place in range(PLACES) if place % _REVOKED]
    places = [*secrets.SystemRandom().sample(good, number - 1), secrets.randbelow(PLACES // _REVOKED) * _REVOKED]
    return [_copy(house, place, today) for place in places]


def _copy(house: House, place: int, day: date) -> dict[str, Any]:
    holder = ECKey.generate_key("P-256", private=True)
    text = credential.issue(
        Signer(house.ring.es256(_KID), credential.TYPE),
        Attested(_REACHED, CODE, day, "示范邻市积分"),
        issuer=issuer(house),
        holder=holder.as_dict(private=False),
        day=day,
        place=Place(f"{issuer(house)}/status-lists/1", place),
        noise=secrets.token_bytes(credential.PLACES * credential.NOISE),
    )
    return {"sd_jwt": text, "jwk": holder.as_dict(private=True), "note": "valid" if place % _REVOKED else "revoked"}


@get(
    f"{_PATH}/status-lists/1", summary="The made-up neighbour's status list", tags=["sandbox"], media_type=_MEDIA_TYPE,
)  # fmt: skip
async def status_list(request: HttpRequest) -> Response[bytes]:
    """A `statuslist+jwt`, as any city of the league publishes."""
    house = deps.house(request)
    statuses = [statuslist.VALID if place % _REVOKED else statuslist.INVALID for place in range(PLACES)]
    signer = Signer(house.ring.es256(_KID), statuslist.TYPE)
    uri, now = f"{issuer(house)}/status-lists/1", int(clock.wall().timestamp())
    token = statuslist.make(signer, bitlist.pack(statuses, statuslist.BITS), uri=uri, now=now)
    return Response(token.encode(), media_type=_MEDIA_TYPE)


handlers = [status_list]

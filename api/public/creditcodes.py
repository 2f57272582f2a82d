"""What a gate without a line must know to read credit codes: `GET /v1/rules/credit-codes`, and keys in the JWKS.

The document is signed twice, so that a gate needs nothing but Ed25519: as every rule is (`api.public.published`), and
inside, as `statement`, a JWS by the key `rcpt-1` over everything else in it.
"""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from sqlalchemy.ext.asyncio import AsyncSession

from api import deps
from api.deps import House, HttpRequest
from api.public import published
from api.public.published import Press
from api.public.rules import provide_press
from core import clock
from core.signed import Signer
from incentives import codes, creditcode, numbers, receipts
from incentives.codes import Mint
from incentives.numbers import AudienceNumber, PerkNumber

TYPE = "credit-codes+jwt"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What `statement` signs: city (GB/T 2260), form, seconds of life and of skew, and the numbers with their dates."""

    iss: str
    city: int
    form: str
    life: int
    skew: int
    as_of: datetime | None
    perks: tuple[PerkNumber, ...]
    audiences: tuple[AudienceNumber, ...]


class CreditCodes(Known, frozen=True, kw_only=True):
    """How credit codes of this city are read; `statement` is a JWS (typ `credit-codes+jwt`, EdDSA, key rcpt-1)."""

    statement: str


def mint(house: House) -> Mint:
    """What makes this deployment's codes."""
    return codes.mint(house.ring, house.settings.city_code, house.settings.token_key_serial)


def keys(house: House) -> list[dict[str, Any]]:
    """The public keys of now's codes, `cc-<byte>`, for the JWKS."""
    return [dict(key.as_dict(private=False)) for key in mint(house).keys.published(clock.wall())]


@get("/v1/rules/credit-codes", summary="How credit codes are read without a line", tags=["rules"])
async def see(
    request: HttpRequest,
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    press: NamedDependency[Press],
) -> Response[Any]:
    """The city's number, the life of a code, and the numbers of perks, partners and programmes, since when.

    Keys: `cc-*` of `/.well-known/jwks.json`.
    """
    known = await numbers.everything(session)
    return published.answer(request, press.document(("credit-codes", known), lambda: _document(house, known)))


def _document(house: House, known: numbers.Numbers) -> CreditCodes:
    since = [one.since for one in (*known.perks, *known.audiences)]
    told = Known(
        iss=house.settings.base_url,
        city=mint(house).city,
        form="CC1",
        life=creditcode.LIFE,
        skew=creditcode.SKEW,
        as_of=max(since, default=None),
        perks=known.perks,
        audiences=known.audiences,
    )
    members = msgspec.structs.asdict(told)
    statement = Signer(house.ring.ed25519(receipts.KID), TYPE).sign(members)
    return CreditCodes(**members, statement=statement)


handlers = [
    Router(
        path="/",
        route_handlers=[see],
        dependencies={"session": Provide(deps.work("citizen")), "press": Provide(provide_press)},
    )
]

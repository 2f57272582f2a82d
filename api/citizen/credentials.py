"""`/v1/me/credentials`: what other cities may recognise 异地互认: an offer for the citizen's wallet, and what it has.

Only under the consent that names the city, and while there are points at all. A credential says which points are
reached, if any, and neither points nor tier; whoever reached none gets one too, so that having none says nothing.
"""

import json
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncSession

from api import guards
from api.citizen.credit_code import picture
from api.citizen.door import behind
from api.deps import House
from api.wallet import config, tokens
from auth import citizens, leaving
from auth.consent import ledger, terms
from core import audit, clock
from core.audit import Actor
from core.errors import Conflict, TooMany
from incentives.credentials import copies, offers
from incentives.credentials.copies import Batch
from scoring import standing

_A_DAY = 86_400
_MOST_A_DAY = 30


class RecognitionNeeded(Conflict):
    """There is no live consent that names the city."""

    code = "recognition_consent_needed"
    title = "Give the consent that names this city first"


class Ask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which city: its number (GB/T 2260), as in the consent `recognise:<city>`."""

    city: Annotated[str, Meta(pattern="^[0-9]{6}$")]


class Offered(msgspec.Struct, frozen=True):
    """An offer, good once and until `expires_at`; `qr` is `offer_uri` as an SVG picture.

    `tx_code` is shown now and never again: the citizen types it into the wallet.
    """

    city: str
    offer_uri: str
    tx_code: str
    expires_at: datetime
    qr: str


class Held(msgspec.Struct, frozen=True):
    """The copies that are not over: `counting` of those `given` on one day still count."""

    credentials: list[Batch]


@post("/v1/me/credentials/offers", summary="Draw an offer for a wallet", tags=["citizen"])
async def offer(
    data: JSONBody[Ask],
    session: NamedDependency[AsyncSession],
    house: NamedDependency[House],
    caller: NamedDependency[guards.Citizen],
) -> Offered:
    """Draw a one-time offer (five minutes) of 20 copies for the city named.

    409 `recognition_consent_needed`, 404 `not_enrolled`, 429 beyond 30 a day.
    """
    if await house.short.count(f"offers:{caller.id}", _A_DAY) > _MOST_A_DAY:
        detail = f"{_MOST_A_DAY} offers a day are enough; use the copies that the wallet has."
        raise TooMany(detail, retry_after=_A_DAY)
    await leaving.turn(session, citizen_id=caller.id)
    terms.must_be_adult((await citizens.profile(session, house.ring, caller.id)).birth_date)
    purpose = f"recognise:{data.city}"
    consent = await ledger.live(session, citizen_id=caller.id, purpose=purpose)
    if consent is None:
        detail = f"Give the consent {purpose} first; without it nothing is issued."
        raise RecognitionNeeded(detail)
    await standing.of(session, house.ring, citizen_id=caller.id, as_of=clock.today())
    drawn = await offers.draw(session, house.ring, citizen_id=caller.id, consent_id=consent.id)
    await audit.write(
        session,
        actor=Actor("citizen", "self"),
        action="credential.offer",
        purpose=purpose,
        outcome="done",
        owner=caller.id,
    )
    uri = address(house, drawn.code)
    return Offered(data.city, uri, drawn.words, drawn.expires_at, picture(uri))


def address(house: House, code: str) -> str:
    """What a wallet opens (OpenID4VCI 1.0, section 4.1.2)."""
    words = {"length": offers.DIGITS, "input_mode": "numeric", "description": "请输入页面上显示的六位数字"}
    said = {
        "credential_issuer": house.settings.base_url,
        "credential_configuration_ids": [config.CONFIGURATION],
        "grants": {tokens.GRANT: {"pre-authorized_code": code, "tx_code": words}},
    }
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    return f"openid-credential-offer://?{urlencode({'credential_offer': text})}"


@get("/v1/me/credentials", summary="Credentials for other cities", tags=["citizen"])
async def see(session: NamedDependency[AsyncSession], caller: NamedDependency[guards.Citizen]) -> Held:
    """How many copies the citizen's wallets were given, for which city, and how many still count."""
    return Held(await copies.mine(session, citizen_id=caller.id))


handlers = [behind([offer, see])]

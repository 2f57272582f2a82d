"""Who these tests are about: somebody whom the neighbour may recognise, and their wallet."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2

from core import clock, ids, jose
from incentives.recognition import sdjwt, statuslist
from incentives.recognition.presentation import KeyOf
from tests.api.conftest import Server
from tests.walletapp import Wallet

NEIGHBOUR = "990100"
PURPOSE = f"recognise:{NEIGHBOUR}"


async def recognise(me: httpx2.AsyncClient) -> httpx2.Response:
    """Give the consent that names the neighbour."""
    notice = (await me.get("/v1/rules/notices/recognise/1")).json()
    body = {
        "purpose": PURPOSE,
        "notice": {"version": notice["version"], "digest": notice["digest"]},
        "expires_on": (clock.today() + timedelta(days=300)).isoformat(),
    }
    return await me.post("/v1/me/consents", json=body)


async def draw(me: httpx2.AsyncClient) -> tuple[str, str]:
    """The address and the words of an offer for the neighbour."""
    drawn = await me.post("/v1/me/credentials/offers", json={"city": NEIGHBOUR})
    assert drawn.status_code == 201, drawn.text
    return drawn.json()["offer_uri"], drawn.json()["tx_code"]


async def keys_of(wallet: Wallet) -> KeyOf:
    """The city's keys, as anybody fetches them."""
    known = (await wallet.http.get(f"{wallet.base_url}/.well-known/jwks.json")).json()["keys"]
    keys = {one["kid"]: jose.public_key(one) for one in known if one["kid"].startswith("cred-")}
    return lambda issuer, kid: keys.get(kid) if issuer == wallet.base_url else None


class Holder:
    """Somebody who joined and let the neighbour recognise them, and their wallet."""

    def __init__(self, me: httpx2.AsyncClient, wallet: Wallet, consent: str) -> None:
        """`me` is logged in; `consent` is the id of the one that names the neighbour."""
        self.me, self.wallet, self.consent = me, wallet, consent

    async def copies(self, count: int) -> list[tuple[Any, str]]:
        """So many copies of a new offer, each with its key."""
        return await self.wallet.copies(*await draw(self.me), count)

    async def redeemed(self) -> None:
        """A token in the wallet."""
        answer = await self.wallet.redeem(*await draw(self.me))
        assert answer.status_code == 200, answer.text

    async def status(self, credential: str) -> int:
        """What the city says of a copy now."""
        said = visible(credential)
        place = said["status"]["status_list"]
        answer = await self.wallet.http.get(place["uri"])
        assert answer.status_code == 200, answer.text
        now, key_of = int(clock.wall().timestamp()), await keys_of(self.wallet)
        read = statuslist.read(answer.text, issuer=said["iss"], uri=place["uri"], now=now, key_of=key_of)
        return read.of(place["idx"])


def visible(credential: str) -> Mapping[str, Any]:
    """What of a copy everybody sees."""
    return jose.parse(sdjwt.split(credential).issued, longest=sdjwt.LONGEST).claims


def opened(credential: str) -> dict[str, Any]:
    """What a copy says with everything disclosed."""
    return sdjwt.reveal(visible(credential), sdjwt.split(credential).disclosures)


def list_of(credential: str) -> str:
    """Where the status of a copy is published."""
    return visible(credential)["status"]["status_list"]["uri"]


async def consent_to(holder: Holder, purpose: str) -> str:
    """The id of the holder's consent to a purpose."""
    given = (await holder.me.get("/v1/me/consents")).json()["consents"]
    return next(one["id"] for one in given if one["purpose"] == purpose)


async def behind(server: Server, query: str, *given: object) -> list[asyncpg.Record]:
    """Rows, as the operator sees them."""
    owner = await asyncpg.connect(server.owner_url)
    try:
        return await owner.fetch(query, *given)
    finally:
        await owner.close()


async def moved(server: Server, holder: Holder, change: str) -> None:
    """Let the holder's standing be another one."""
    given = ids.read("co", await consent_to(holder, "score"))
    await behind(server, f"update scoring.standing set {change} where consent_id = $1", given)

"""A visitor on the way: what they draw at home, what merchants of the host ask, what the wallet answers.

Everything goes over HTTP, by the doors that everybody has.
"""

import contextlib
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx2

from api.tool.caller import signed
from api.tool.citizen_app import signed_in
from api.tool.demo_city import PASSWORD
from api.tool.league.running import League, Running
from api.tool.league.wallet import Copy, Wallet
from core import clock

ROUTE = "/v1/partner/presentations"
COPIES = 20
_A_YEAR = timedelta(days=300)


class RefusedError(Exception):
    """A step that should have worked was answered with an error; the message quotes it."""


class Visit:
    """A visitor of `home` in another city, `host`, and what they hold on the way."""

    def __init__(self, league: League, http: httpx2.AsyncClient) -> None:
        """`http` is everybody's: wallets and onlookers."""
        self.league, self.http = league, http
        self.home, self.host = league.cities[0], league.cities[1]
        self.wallet, self.modest = Wallet(http), Wallet(http)

    async def draw(self, whose: str, wallet: Wallet) -> None:
        """The wallet takes an offer of a citizen of home."""
        offer = await self.offer(whose)
        await wallet.take(offer["offer_uri"], offer["tx_code"], COPIES)

    async def offer(self, whose: str) -> dict[str, Any]:
        """A citizen of home gives the consent that names the host, and draws an offer: its `offer_uri`, `tx_code`."""
        city = self.host.city.code
        async with citizen(self.home, whose) as me:
            notice = (await me.get("/v1/rules/notices/recognise/1")).json()
            shown = {"version": notice["version"], "digest": notice["digest"]}
            until = (clock.today() + _A_YEAR).isoformat()
            body = {"purpose": f"recognise:{city}", "notice": shown, "expires_on": until}
            await me.post("/v1/me/consents", json=body)
            return _must(await me.post("/v1/me/credentials/offers", json={"city": city}))

    async def ask(self, partner: str, perk: str, amount: int) -> dict[str, Any]:
        """A question of a merchant of the host."""
        async with _merchant(self.host, partner) as shop:
            answer = await shop.post(ROUTE, json={"perk": perk, "amount": amount})
            return _must(answer)

    async def see(self, partner: str, question: dict[str, Any]) -> httpx2.Response:
        """What the merchant hears."""
        async with _merchant(self.host, partner) as shop:
            return await shop.get(f"{ROUTE}/{question['presentation_id']}")

    async def use(
        self, partner: str, perk: str, amount: int, *, wallet: Wallet | None = None, copy: Copy | None = None
    ) -> dict[str, Any]:
        """Ask, show, and hear: the merchant's answer."""
        question = await self.ask(partner, perk, amount)
        await (wallet or self.wallet).answer(question["uri"], copy=copy)
        return _must(await self.see(partner, question))


@contextlib.asynccontextmanager
async def citizen(city: Running, note: str) -> AsyncGenerator[httpx2.AsyncClient]:
    """`/v1/me` of a demo person of a city, by the note in its kit."""
    kit = city.kit
    (person,) = [one for one in kit["citizens"] if one["note"] == note]
    async with signed_in(city.base_url, kit["citizen_client"], login=person["login"], password=PASSWORD) as me:
        yield me


@contextlib.asynccontextmanager
async def _merchant(city: Running, name: str) -> AsyncGenerator[httpx2.AsyncClient]:
    kit = city.kit
    async with httpx2.AsyncClient(base_url=city.base_url, auth=signed(kit, name), timeout=30) as http:
        yield http


def _must(answer: httpx2.Response) -> dict[str, Any]:
    if not answer.is_success:
        message = (
            f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}"
        )
        raise RefusedError(message)
    return answer.json()

"""`/v1/partner/presentations` over HTTP: a visitor of a neighbouring city, a wallet, and everybody who would be one."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest_asyncio

from core import embedded
from core.keys import Keyring
from incentives.visitors import lists, rootkeys
from tests.api.conftest import Server, serving
from tests.conftest import _clone
from tests.neighbour import Neighbour, Roots, living

ROUTE = "/v1/partner/presentations"
METRO, TICKET = "transit.discount", "tourism.ticket"


class Town:
    """A host city with two partners, its neighbour, and who signs the trust list."""

    def __init__(self, server: Server, neighbour: Neighbour, roots: Roots) -> None:
        """Callers come with `open`."""
        self.server, self.neighbour, self.roots = server, neighbour, roots
        self.callers: dict[str, httpx2.AsyncClient] = {}
        self.wallet: httpx2.AsyncClient

    async def trust(self, raw: bytes) -> None:
        """Take a list in, as the command does."""
        async with self.server.house.doors.work("jobs") as session:
            await lists.take(session, raw, await rootkeys.read(self.roots.file))

    async def ask(self, who: str = "metro", perk: str = METRO, **more: Any) -> dict[str, Any]:
        """A question of a partner."""
        answer = await self.callers[who].post(ROUTE, json={"perk": perk, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def respond(self, question: dict[str, Any], text: str, **more: str) -> httpx2.Response:
        """A wallet posts."""
        form = {"vp_token": json.dumps({"over_110": [text]}), "state": question["nonce"], **more}
        return await self.wallet.post(f"/oid4vp/responses/{question['presentation_id']}", data=form)

    async def bring(
        self, question: dict[str, Any], text: str, who: str = "metro", perk: str = METRO
    ) -> httpx2.Response:
        """A partner brings what its own wallet link was given."""
        shown = {"vp_token": {"over_110": [text]}, "nonce": question["nonce"]}
        return await self.callers[who].post(ROUTE, json={"perk": perk, "presentation": shown})

    async def see(self, question: dict[str, Any], who: str = "metro") -> httpx2.Response:
        """What came of it."""
        return await self.callers[who].get(f"{ROUTE}/{question['presentation_id']}")


@pytest_asyncio.fixture(scope="module")
async def town(
    cluster: embedded.Cluster, city_template: str, ring: Keyring, tmp_path_factory: Any
) -> AsyncIterator[Town]:
    """One for this file."""
    folder: Path = tmp_path_factory.mktemp("trust")
    roots = Roots(folder / "signers.json")
    async with (
        living() as neighbour,
        _clone(cluster, city_template) as url,
        serving(url, ring.file, published=True, trust_signers=roots.file) as server,
        httpx2.AsyncClient(base_url=server.base_url) as wallet,
    ):
        made = Town(server, neighbour, roots)
        made.wallet = wallet
        await made.trust(roots.list([neighbour.entry()]))
        for name, perks in (("metro", [METRO]), ("old-town", [TICKET, METRO]), ("shop", ["rental.deposit-free"])):
            auth, _ = await server.register(name, "partner", "eligibility:check", perks=perks)
            made.callers[name] = httpx2.AsyncClient(base_url=server.base_url, auth=auth)
        yield made
        for one in made.callers.values():
            await one.aclose()


class TestGranted:
    """What a visitor can have."""

    async def test_from_the_question_to_the_receipt(self, town: Town) -> None:
        """The partner asks, the wallet shows one threshold and the city, the partner reads an ordinary answer."""
        question = await town.ask(amount=300)
        assert (await town.see(question)).json()["status"] == "pending"
        copy = town.neighbour.copy()
        taken = await town.respond(question, copy.answer(question))
        assert taken.status_code == 200, taken.text
        assert taken.json()["result"] == "granted"
        told = await town.see(question)
        assert told.status_code == 200
        body = told.json()
        assert (body["result"], body["waived_amount"], body["payable_deposit"]) == ("granted", 30, 270)
        assert {"terms", "receipt"} <= body.keys()
        assert body["decision_id"].startswith("dc_")
        assert (await town.see(question)).content == told.content

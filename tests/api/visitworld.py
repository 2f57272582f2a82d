"""A host city with partners, its neighbour, its signers of trust lists, and wallets."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2

from api.staff import publication
from core import clock, embedded
from core.keys import Keyring
from incentives.visitors import lists, rootkeys
from tests.api.conftest import Server, serving
from tests.clones import clone
from tests.neighbour import Neighbour, Roots, living

ROUTE = "/v1/partner/presentations"
METRO, TICKET = "transit.discount", "tourism.ticket"
FORM = "application/x-www-form-urlencoded"


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

    async def do(self, statement: str, *given: object) -> None:
        """Something behind the doors."""
        connection = await asyncpg.connect(self.server.owner_url)
        try:
            await connection.execute(statement, *given)
        finally:
            await connection.close()

    async def publish(self, body: str) -> None:
        """Put a map in force, by two made-up persons."""
        async with self.server.house.doors.work("staff") as session:
            drafted = await publication.draft(
                session, kind="recognition", name="recognition.toml", body=body, effective_on=clock.today(), by="a"
            )
            await publication.approve(session, release_id=drafted.id, by="b")

    def forget(self) -> None:
        """The server forgets the lists that it fetched."""
        if (lodge := self.server.application.state.get("lodge")) is not None:
            lodge.statuses.__init__(sandbox=True)

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


@asynccontextmanager
async def opened(cluster: embedded.Cluster, city_template: str, ring: Keyring, folder: Path) -> AsyncGenerator[Town]:
    """A town for the length of a block; `folder` is for the signers' file."""
    roots = Roots(folder / "signers.json")
    async with (
        living() as neighbour,
        clone(cluster, city_template) as url,
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


def told(body: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is always another: id, time and signature."""
    return {name: value for name, value in body.items() if name not in {"decision_id", "valid_until", "receipt"}}


async def cause(town: Town, decision_id: str) -> str | None:
    """Why, as the log knows it."""
    connection = await asyncpg.connect(town.server.owner_url)
    try:
        query = "select detail ->> 'cause' from core.audit_entry where detail ->> 'decision' = $1"
        return await connection.fetchval(query, decision_id)
    finally:
        await connection.close()
